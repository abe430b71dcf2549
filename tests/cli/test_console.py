import json
import sqlite3
import unicodedata
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.cli.console import clean, print_error, print_json
from digest.cli.tables import folded, print_table, width_of
from digest.errors import DigestError
from digest.lib.formatting import counted

Run = Callable[..., Any]

#: Sets the title of the window, clears the screen, runs backwards, and is no character at all.
NASTY = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[red]x[/red]\udcff"


@given(st.text())
def test_a_clean_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    for character in clean(text):
        category = unicodedata.category(character)
        assert character == "\n" or category not in ("Cc", "Cs", "Zl", "Zp"), repr(character)
        assert category != "Cf" or character in "\u200c\u200d"
    clean(text).encode()


def test_a_clean_text_stays_as_it_is() -> None:
    for text in ("Plain", "Çà et là …", "می‌خواهم", "新聞", "👩‍🚀", "two\nlines"):
        assert clean(text) == text


@given(st.recursive(st.text(), lambda below: st.lists(below) | st.dictionaries(st.text(), below)))
def test_json_is_the_same_value_and_cannot_steer_a_terminal(value: object) -> None:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lines.append)
        print_json(value)
    (text,) = lines
    assert json.loads(text) == value
    assert not any(unicodedata.category(one) in ("Cc", "Cs") for one in text if one != "\n")


def test_an_error_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(DigestError(f"the server said {NASTY}", hint=f"Ask {NASTY}"))
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "\x9b" not in told
    assert "[red]x[/red]" in told


def test_numbers_have_the_right_noun() -> None:
    assert counted(1, "reader") == "1 reader"
    assert counted(2744, "story", "stories") == "2,744 stories"
    assert counted(0, "reader") == "0 readers"


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs"))), st.integers(2, 40))
def test_a_folded_text_fits_and_loses_nothing(text: str, width: int) -> None:
    lines = folded(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_table_in_a_pipe_has_no_space_at_its_ends_and_no_empty_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [("1", "新聞", "", ""), ("12", "a", "·", "last")]
    print_table((">No.", "Name", "Section", "Note"), rows)
    assert capsys.readouterr().out == "No.  Name  Note\n  1  新聞\n 12  a     last\n"


def test_titles_names_and_reasons_from_outside_cannot_steer_the_terminal(
    newsroom: Path, run: Run, terminal: Run
) -> None:
    nasty = NASTY.removesuffix("\udcff")  # no database holds that one
    run("send", "--outbox", "outbox")
    with closing(sqlite3.connect(newsroom / "subscribers.db")) as db, db:
        db.execute("update articles set title = ?, section = ?, source = ?", (nasty,) * 3)
        db.execute("update subscribers set name = ?", (nasty,))
        db.execute("update editions set subject = ?", (nasty,))
        db.execute("update deliveries set state = 'rejected', reply = ?", (nasty,))
    for arguments in (
        ("articles", "list"),
        ("articles", "show", "1"),
        ("articles", "pin", "1"),
        ("articles", "list", "--json"),
        ("subscribers", "list"),
        ("subscribers", "show", "ada@example.com"),
        ("status",),
        ("status", "--json"),
        ("audit",),
        (f"-c{nasty}", "status"),
        ("ingest", nasty),
        ("preview", "--out", nasty),
        (nasty,),
    ):
        done = run(*arguments)
        assert done.out + done.err, arguments
        assert not set(done.out + done.err) & set("\x1b\x07\x9b\u202e"), arguments
    for arguments in (("articles", "list"), ("status",), (f"-c{nasty}", "status")):
        seen = terminal(*arguments).out
        assert "[red]x[/red]" in seen
        assert not set(seen) & set("\x1b\x07\x9b\u202e"), seen


def test_an_error_is_json_too_where_json_is_wanted(newsroom: Path, run: Run) -> None:
    for arguments in (
        ("articles", "show", "99", "--json"),
        ("send", "--to", "nobody", "--json"),
        ("status", "--json", "--nonsense"),
        ("status", "--json", "--number", "9"),
        ("-c", "nowhere.toml", "audit", "--json"),
    ):
        done = run(*arguments)
        told = json.loads(done.out)
        assert told["error"] in done.err, arguments
        assert told["hint"] is None or told["hint"] in done.err
        assert done.code in (1, 2)
