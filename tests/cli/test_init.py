import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.config.load import load
from digest.storage.database import Access, open_database

Run = Callable[..., Any]

GIVEN = (
    "--name",
    "Example News",
    "--url",
    "https://www.example.com/",
    "--from",
    "Example News <news@example.com>",
)


def test_a_newsletter_starts_in_a_new_folder(tmp_path: Path, run: Run) -> None:
    ran = run("init", tmp_path / "new" / "news", *GIVEN)

    assert (ran.code, ran.err) == (0, "")
    settings = load(tmp_path / "new" / "news" / "digest.toml", {})
    assert settings.site.name == "Example News"
    assert settings.site.url == "https://www.example.com"
    newsletter = settings.newsletter("daily")
    assert (newsletter.title, newsletter.sender_address) == ("Example News", "news@example.com")
    with open_database(settings.database, Access.READ) as db:
        assert db.row("select 1 from articles") is None


def test_its_end_says_what_to_do_next(tmp_path: Path, run: Run) -> None:
    ran = run("init", tmp_path / "two words", *GIVEN)
    steps = [line.split("#")[0].strip() for line in ran.out.splitlines() if line.startswith("    ")]
    assert steps == [
        f"cd '{tmp_path}/two words'",
        "digest ingest FEED-OR-FILE",
        "digest subscribers add you@example.com",
        "digest preview",
    ]


def test_every_option_arrives(tmp_path: Path, run: Run) -> None:
    options = ("--language", "fr", "--timezone", "Europe/Paris", "--postal-address", "1 rue\nParis")
    run("init", tmp_path, *GIVEN, *options)
    site = load(tmp_path / "digest.toml", {}).site
    assert (site.language, site.timezone.key) == ("fr", "Europe/Paris")
    assert site.postal_address == "1 rue\nParis"


def test_names_with_quotes_and_backslashes_survive(tmp_path: Path, run: Run) -> None:
    nasty = r"""Die "Neue" \u00e9 'Welt' # {{ x }} @@NAME """
    run("init", tmp_path, *GIVEN[2:], "--name", nasty)
    assert load(tmp_path / "digest.toml", {}).site.name == nasty.strip()


def test_the_commented_lines_are_right_too(tmp_path: Path, run: Run) -> None:
    """Every example in the file loads when its mark is taken away."""
    run("init", tmp_path, *GIVEN)
    file = tmp_path / "digest.toml"
    lines = []
    for line in file.read_text().splitlines():
        example = line.removeprefix("# ")
        is_example = line.startswith("# [") or " = " in example or example[:1] in "[] "
        lines.append(example if is_example and not example.endswith(".") else line)
    (tmp_path / "smtp-password").write_text("sesame")
    file.write_text("\n".join(lines))

    settings = load(file, {})

    assert [source.name for source in settings.sources] == [
        "front page",
        "archive",
        "editorial system",
    ]
    assert [rule.title for rule in settings.newsletter("daily").rules.sections] == ["Town", "Sport"]
    assert settings.smtp.password == "sesame"


def test_a_folder_that_has_a_newsletter_is_left_alone(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "digest.toml"
    file.write_text("mine")

    ran = run("init", tmp_path, *GIVEN)

    assert ran.code == 2
    assert "already exists; nothing was changed" in ran.err
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_that_leads_nowhere_is_somebodys_too(tmp_path: Path, run: Run) -> None:
    (tmp_path / "digest.toml").symlink_to(tmp_path / "elsewhere")
    assert run("init", tmp_path, *GIVEN).code == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_no_folder_to_start_in(tmp_path: Path, run: Run) -> None:
    (tmp_path / "news").touch()
    ran = run("init", tmp_path / "news", *GIVEN)
    assert ran.code == 2
    assert "is not a folder" in ran.err


def test_without_a_terminal_what_is_missing_is_listed(tmp_path: Path, run: Run) -> None:
    ran = run("init", tmp_path / "news", "--url", "https://www.example.com")
    assert ran.code == 2
    assert "init needs --name, --from" in ran.err
    assert not (tmp_path / "news").exists()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--url", "example.com", "Did you mean https://example.com?"),
        ("--from", "nobody", "expected a sender such as"),
        ("--name", "two\nlines", "expected a text of one line"),
        ("--language", "xx", "expected a language that has words"),
        ("--timezone", "Paris", "Did you mean Europe/Paris?"),
        ("--name", "octets \udcff", "not valid text"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(
    option: str, value: str, told: str, tmp_path: Path, run: Run
) -> None:
    ran = run("init", tmp_path / "news", *GIVEN, option, value)
    assert ran.code == 2
    assert told in ran.err
    assert not (tmp_path / "news").exists()
    if "octets" not in value:
        assert f"{option}: found" in ran.err


def test_on_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "digest", "init", str(tmp_path), *GIVEN[:2]]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as asked:
        os.close(theirs)
        os.write(ours, b"https://www.example.com\nnews@example.com\n1 Example Street\n")
        assert asked.stdout is not None
        out = asked.stdout.read().decode()
        said = os.read(ours, 10_000).decode()
    os.close(ours)

    assert asked.returncode == 0, said
    assert "URL of its website" in said
    assert "Started a newsletter" in out
    site = load(tmp_path / "digest.toml", {}).site
    assert (site.url, site.postal_address) == ("https://www.example.com", "1 Example Street")


def test_on_a_terminal_a_wrong_answer_is_told_and_asked_again(
    tmp_path: Path, terminal: Run
) -> None:
    answers = "\nExample News\nexample.com\nhttps://www.example.com\nbad\nnews@example.com\n\n"
    done = terminal("init", tmp_path / "news", typed=answers)
    assert done.code == 0
    assert done.out.count("Name of the publication:") == 2
    assert "Did you mean https://example.com?" in done.out
    assert "expected a sender such as" in done.out
    assert load(tmp_path / "news" / "digest.toml", {}).site.name == "Example News"


def test_its_end_says_what_sending_still_needs(tmp_path: Path, run: Run) -> None:
    told = run("init", tmp_path / "one", *GIVEN).out
    assert "Before the first send, set postal_address" in told
    assert "The time zone is UTC" in told
    given = ("--postal-address", "1 Quay", "--timezone", "Europe/London")
    told = run("init", tmp_path / "two", *GIVEN, *given).out
    assert "postal address" not in told
    assert "UTC" not in told


def test_what_was_started_is_told_as_json(tmp_path: Path, run: Run) -> None:
    told = json.loads(run("init", tmp_path / "news", *GIVEN, "--json").out)
    assert Path(told["configuration"]).is_file()
    assert Path(told["database"]).is_file()
