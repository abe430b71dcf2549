import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from digest.storage.database import open_database

Run = Callable[..., Any]

SITE = """\
[site]
name = "Example News"
url = "https://www.example.com"
[newsletters.daily]
from = "Example News <news@example.com>"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A newsletter's folder, and the working directory."""
    (tmp_path / "digest.toml").write_text(SITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(run: Run) -> dict[str, str]:
    done = run("subscribers", "list", "--json")
    return {one["email"]: one["state"] for one in json.loads(done.out)["subscribers"]}


def test_a_reader_is_added_shown_and_let_go(site: Path, run: Run) -> None:
    added = run("subscribers", "add", "Eva Sá <eva@example.com>", "--topics", "Sport,arts")
    assert (added.code, added.out) == (0, "eva@example.com is on the list now (daily)\n")
    again = run("subscribers", "add", "EVA@example.com")
    assert again.out == "EVA@example.com is on the list already; nothing was changed (daily)\n"
    gone = run("subscribers", "unsubscribe", "Eva@example.com", "--reason", "by phone")
    assert (gone.code, gone.out) == (0, "Eva@example.com is unsubscribed now\n")
    shown = json.loads(run("subscribers", "show", "eva@example.com", "--json").out)
    assert shown["name"] == "Eva Sá"
    assert shown["subscriptions"][0]["topics"] == ["arts", "Sport"]
    assert [(one["action"], one["wording"], one["origin"]) for one in shown["consents"]] == [
        ("subscribed", "the owner of the list vouches for this reader", "command line"),
        ("unsubscribed", "by phone", "command line"),
    ]


def test_who_left_is_added_again_with_the_readers_words_only(site: Path, run: Run) -> None:
    run("subscribers", "add", "eva@example.com")
    run("subscribers", "unsubscribe", "eva@example.com")
    refused = run("subscribers", "add", "eva@example.com")
    assert refused.code == 1
    assert "only the reader can change that" in refused.err
    assert "--consent" in refused.err
    assert run("subscribers", "add", "eva@example.com", "--consent", " ").code == 1
    assert run("subscribers", "add", "eva@example.com", "--consent", "by letter").code == 0
    assert listed(run) == {"eva@example.com": "active"}


def test_a_suppressed_address_cannot_be_added(site: Path, run: Run) -> None:
    done = run("subscribers", "suppress", "eva@example.com", "--reason", "by letter", "--json")
    assert json.loads(done.out) == {
        "email": "eva@example.com",
        "result": "suppressed",
        "already": False,
    }
    refused = run("subscribers", "add", "Eva@example.com", "--consent", "please")
    assert refused.code == 1
    assert "must never be mailed: 'by letter'" in refused.err
    assert run("subscribers", "suppress", "x@example.com", "--reason", " ").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("add", "eva"), 2, "'eva' is not an e-mail address"),
        (("add", "eva@example.com\nBcc: ida@example.com"), 2, "is not an e-mail address"),
        (("add", "eva@example.com", "--timezone", "Lisbon"), 2, "expected one such as Europe/"),
        (("add", "eva@example.com", "--newsletter", "weekly"), 2, "there is no newsletter"),
        (("show", "eva@example.com"), 1, "eva@example.com is on no list"),
        (("unsubscribe", "eva@bücher.example"), 1, "eva@bücher.example is not on the list"),
        (("list", "--state", "gone"), 2, "--state: found 'gone', expected one of active"),
        (("export", "--format", "xlsx"), 2, "--format: found 'xlsx', expected one of csv"),
        (("import", "nothing.csv"), 2, "there is no file nothing.csv"),
        (("import", "."), 2, ". is a folder, expected a file"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    site: Path, run: Run, arguments: tuple[str, ...], code: int, error: str
) -> None:
    with open_database(site / "subscribers.db"):
        pass
    done = run("subscribers", *arguments)
    assert done.code == code
    assert error in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_an_import_reports_every_row_that_is_not_plain(site: Path, run: Run) -> None:
    run("subscribers", "add", "gone@example.com")
    run("subscribers", "unsubscribe", "gone@example.com")
    (site / "readers.csv").write_text(
        "email,name,state,timezone\n"
        "a@example.com,Ann,,\n"
        "gone@example.com,,,\n"
        "nobody,,,\n"
        "A@example.com,,,\n"
        "b@example.com,Ben,,Lisbon\n",
        encoding="utf-8",
    )
    done = run("subscribers", "import", "readers.csv")
    assert done.code == 0
    assert [line.rstrip() for line in done.out.splitlines()[1:]] == [
        "added                    2",
        "updated                  0",
        "taken out                0",
        "unchanged                0",
        "left as they were        1",
        "rejected rows            1",
    ]
    for message in (
        "line 4: 'nobody' is not an e-mail address",
        "line 6: b@example.com: the time zone 'Lisbon'",
        "line 5: A@example.com: already in line 2",
        "line 3: gone@example.com: unsubscribed",
    ):
        assert message in done.err
    assert listed(run) == {
        "gone@example.com": "unsubscribed",
        "a@example.com": "active",
        "b@example.com": "active",
    }
    shown = json.loads(run("subscribers", "show", "a@example.com", "--json").out)
    assert shown["consents"][0]["origin"] == "import readers.csv line 2"


def test_an_import_reports_as_json_and_fails_if_no_row_can_be_used(site: Path, run: Run) -> None:
    (site / "readers.csv").write_text("email\nnobody\n", encoding="utf-8")
    done = run("subscribers", "import", "readers.csv", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert report["added"] == 0
    assert report["rejected"][0]["line"] == 2


def test_a_dry_run_makes_no_database(site: Path, run: Run) -> None:
    (site / "readers.csv").write_text("email\na@example.com\n", encoding="utf-8")
    done = run("subscribers", "import", "readers.csv", "--dry-run", "--json")
    assert json.loads(done.out)["added"] == 1
    assert not (site / "subscribers.db").exists()


def test_an_export_goes_to_a_file_or_to_a_pipe(site: Path, run: Run) -> None:
    run("subscribers", "add", "a@example.com", "--name", "=1+1")
    run("subscribers", "suppress", "x@example.com", "--reason", "by letter")
    piped = run("subscribers", "export")
    assert [line.split(",")[:2] for line in piped.out.splitlines()[1:]] == [
        ["a@example.com", "'=1+1"],
        ["x@example.com", ""],
    ]
    written = run("subscribers", "export", "--out", "readers.csv")
    assert (written.out, written.err) == ("", "wrote 2 addresses to readers.csv\n")
    assert (site / "readers.csv").read_bytes() == piped.out.encode()
    active = run("subscribers", "export", "--state", "active", "--format", "jsonl")
    assert [json.loads(line)["name"] for line in active.out.splitlines()] == ["=1+1"]


def test_the_ending_of_an_export_says_how_it_is_written(site: Path, run: Run) -> None:
    run("subscribers", "add", "a@example.com")
    assert run("subscribers", "export", "--out", "readers.jsonl").code == 0
    assert json.loads((site / "readers.jsonl").read_text())["email"] == "a@example.com"
    refused = run("subscribers", "export", "--out", "readers.xlsx")
    assert (refused.code, (site / "readers.xlsx").exists()) == (2, False)
    assert run("subscribers", "export", "--out", "nowhere/readers.csv").code == 2


def test_an_export_never_replaces_a_file_unasked(site: Path, run: Run, terminal: Run) -> None:
    run("subscribers", "add", "a@example.com")
    (site / "readers.csv").write_text("mine")
    refused = run("subscribers", "export", "--out", "readers.csv")
    assert refused.code == 2
    assert "already exists; nothing was written" in refused.err
    assert "--force" in refused.err
    declined = terminal("subscribers", "export", "--out", "readers.csv", typed="\n")
    assert "readers.csv already exists. Overwrite it? [y/N]" in declined.out
    assert (site / "readers.csv").read_text() == "mine"
    assert run("subscribers", "export", "--out", "readers.csv", "--force").code == 0
    assert "a@example.com" in (site / "readers.csv").read_text()


def test_a_suppression_wants_a_reason_and_a_terminal_is_asked_for_it(
    site: Path, run: Run, terminal: Run
) -> None:
    refused = run("subscribers", "suppress", "a@example.com")
    assert refused.code == 2
    assert "--reason is missing" in refused.err
    asked = terminal("subscribers", "suppress", "a@example.com", typed="\nby letter\n")
    assert asked.code == 0
    assert asked.out.count("Why must a@example.com never be mailed:") == 2
    shown = json.loads(run("subscribers", "show", "a@example.com", "--json").out)
    assert shown["suppressed"]["reason"] == "by letter"


def test_several_states_and_topics_come_with_commas_or_repeated(site: Path, run: Run) -> None:
    run("subscribers", "add", "a@example.com", "--topics", "Sport,Arts", "--topics", "Town")
    shown = json.loads(run("subscribers", "show", "a@example.com", "--json").out)
    assert shown["subscriptions"][0]["topics"] == ["Arts", "Sport", "Town"]
    for states in (["active,paused"], ["active", "--state", "paused"]):
        listed = json.loads(run("subscribers", "list", "--state", *states, "--json").out)
        assert len(listed["subscribers"]) == 1
    assert run("subscribers", "list", "--state", "").code == 2


def test_a_state_that_nobody_has_is_told(site: Path, run: Run) -> None:
    run("subscribers", "add", "a@example.com")
    done = run("subscribers", "list", "--state", "paused")
    assert (done.out, done.err) == ("1 active\n", "nobody is paused; on the list are:\n")


def test_the_list_shows_states_and_how_many_have_each(site: Path, run: Run) -> None:
    for number in range(3):
        run("subscribers", "add", f"r{number}@bücher.example")
    run("subscribers", "unsubscribe", "r1@bücher.example")
    done = run("subscribers", "list", "--limit", "2")
    assert "r0@bücher.example" in done.out
    assert done.out.endswith("2 active, 1 unsubscribed\n")
    assert done.err == "… and 1 more; --limit 0 lists all\n"
    gone = run("subscribers", "list", "--state", "unsubscribed")
    assert "r1@" in gone.out
    assert "r0@" not in gone.out


def test_what_others_wrote_into_the_database_cannot_steer_the_terminal(
    site: Path, run: Run
) -> None:
    run("subscribers", "add", "a@example.com")
    with closing(sqlite3.connect(site / "subscribers.db")) as connection, connection:
        connection.execute(
            "update subscribers set name = ?, fields = ?",
            ("\x1b]0;owned\x07[red]x\u202e", json.dumps({"\x1b[2Jf": "\x1b[31mv"})),
        )
    for arguments in (["list"], ["show", "a@example.com"]):
        done = run("subscribers", *arguments)
        assert done.code == 0
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
        assert "[red]x" in done.out


def test_the_newsletter_is_asked_for_where_there_are_several(site: Path, run: Run) -> None:
    (site / "digest.toml").write_text(
        SITE + '[newsletters.weekly]\nfrom = "Example News <news@example.com>"\n', encoding="utf-8"
    )
    assert "which newsletter?" in run("subscribers", "add", "a@example.com").err
    assert run("subscribers", "add", "a@example.com", "-n", "weekly").code == 0
    assert run("subscribers", "suppress", "a@example.com", "--reason", "x").code == 0


@pytest.mark.parametrize(
    "command", ["add", "import", "export", "list", "show", "unsubscribe", "suppress"]
)
def test_the_help_of_each_command_has_an_example(run: Run, command: str) -> None:
    done = run("subscribers", command, "--help")
    assert done.code == 0
    assert f"digest subscribers {command}" in done.out.replace("\n", " ")
    assert "Example:" in done.out


# --- as processes of their own ---

DIGEST = [sys.executable, "-m", "digest"]
_PATIENCE = 60  # seconds; a process that is not done by then never will be


def test_a_list_may_come_through_a_pipe(site: Path) -> None:
    done = subprocess.run(
        [*DIGEST, "subscribers", "import", "-"],
        input="email\na@example.com\n".encode("utf-16"),
        capture_output=True,
        check=False,
        timeout=_PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"added                    1" in done.stdout


def test_two_imports_at_once_both_succeed(site: Path) -> None:
    # One of them makes the database, too; half of the readers are in both files.
    processes = []
    for name, start in (("one", 0), ("two", 1_000)):
        rows = "".join(f"r{number}@example.com\n" for number in range(start, start + 2_000))
        (site / f"{name}.csv").write_text(f"email\n{rows}", encoding="utf-8")
        processes.append(
            subprocess.Popen(
                [*DIGEST, "subscribers", "import", f"{name}.csv", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
    reports = []
    for process in processes:
        try:
            out, error = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
        assert (process.returncode, error) == (0, b"")
        reports.append(json.loads(out))
    assert sorted(report["added"] for report in reports) == [1_000, 2_000]
    assert sorted(report["unchanged"] for report in reports) == [0, 1_000]
    with open_database(site / "subscribers.db") as db:
        assert [row[0] for row in db.rows("select count(*) from subscriptions")] == [3_000]


def test_ctrl_c_while_a_list_is_read_changes_nothing(site: Path, run: Run) -> None:
    run("subscribers", "add", "a@example.com")
    os.mkfifo(site / "readers.csv")
    process = subprocess.Popen(
        [*DIGEST, "subscribers", "import", "readers.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # Opening it for writing returns when the other side has opened it for reading. The list never
    # ends: only the signal can end the process, at the latest when the second row wakes it.
    with (site / "readers.csv").open("wb", buffering=0) as pipe:
        pipe.write(b"email\nb@example.com\n")
        process.send_signal(signal.SIGINT)
        with suppress(BrokenPipeError):
            pipe.write(b"c@example.com\n")
        try:
            out, error = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == b""
    assert b"interrupted" in error
    assert b"Traceback" not in error
    assert listed(run) == {"a@example.com": "active"}


def test_a_terminal_sees_the_import_advance(site: Path) -> None:
    rows = "".join(f"r{number}@example.com\n" for number in range(6_000))
    (site / "readers.csv").write_text(f"email\n{rows}", encoding="utf-8")
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [*DIGEST, "subscribers", "import", "readers.csv"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65_536):
            seen += chunk
    except OSError:  # Linux says so when the other side is closed
        pass
    finally:
        os.close(ours)
    try:
        out, _ = done.communicate(timeout=_PATIENCE)
    finally:
        done.kill()
    assert done.returncode == 0
    assert b"Importing" in seen
    assert b"added                6,000" in out
