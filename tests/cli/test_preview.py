import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "begins"), [("a.html", "<!doctype html"), ("a.TXT", "example news"), ("a.eml", "")]
)
def test_the_ending_of_a_file_says_what_is_written(
    newsroom: Path, run: Run, name: str, begins: str
) -> None:
    (newsroom / name).write_text("an older preview")
    done = run("preview", "--out", name)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"wrote {name} (")
    text = (newsroom / name).read_text(encoding="utf-8")
    assert text.lower().startswith(begins)
    assert ("List-Unsubscribe:" in text) == (name == "a.eml")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--out", "a.pdf"), "--out: the ending of a.pdf names no format"),
        (("--out", "."), "--out: . is a folder"),
        (("--out", "nowhere/a.html"), "--out: there is no folder nowhere"),
        (("--for", "eve"), "'eve' is not an e-mail address"),
    ],
)
def test_what_cannot_be_written_or_shown_is_wrong_usage(
    newsroom: Path, run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    done = run("preview", *arguments)
    assert done.code == 2
    assert complaint in done.err


def test_a_preview_reports_as_json(newsroom: Path, run: Run) -> None:
    told = json.loads(run("preview", "--json", "--out", "a.html").out)
    assert (told["number"], told["stories"], told["readers"]) == (1, 1, 2)
    assert told["out"] == "a.html"
    assert (newsroom / "a.html").is_file()


def test_a_format_that_is_named_goes_before_the_ending(newsroom: Path, run: Run) -> None:
    assert run("preview", "--out", "a.html", "--format", "eml").code == 0
    assert "List-Unsubscribe:" in (newsroom / "a.html").read_text(encoding="utf-8")
