"""`digest run --once`, `digest backup` and `digest restored` at the keyboard."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.cli.console import Exit
from digest.cli.run import exit_code
from digest.scheduler.tick import TickResult, TickSummary
from digest.storage.locks import Lease
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ({}, Exit.SKIPPED),
        ({TickResult.SKIPPED: 2}, Exit.SKIPPED),
        ({TickResult.PREPARED: 1, TickResult.SKIPPED: 1}, Exit.DONE),
        ({TickResult.DRAFTED: 1}, Exit.DONE),
        ({TickResult.SERVED: 1, TickResult.HELD: 1}, Exit.HELD),
        ({TickResult.HELD: 1, TickResult.INCOMPLETE: 1}, Exit.INCOMPLETE),
        ({TickResult.PUT_OFF: 1}, Exit.INCOMPLETE),
        ({TickResult.INCOMPLETE: 1, TickResult.FAILED: 1}, Exit.ERROR),
        ({TickResult.SERVED: 1, TickResult.TROUBLED: 1}, Exit.ERROR),
    ],
)
def test_the_exit_code_says_what_wants_somebodys_eyes(
    results: dict[TickResult, int], code: Exit
) -> None:
    assert exit_code(TickSummary(results=Counter(results))) is code
    assert exit_code(TickSummary(results=Counter(results), interrupted=True)) is Exit.INCOMPLETE


def test_a_pass_with_nothing_due_says_so(newsroom: Path, run: Run) -> None:
    done = run("run", "--once")
    assert (done.code, done.out) == (3, "nothing is due\n")
    assert json.loads(run("run", "--once", "--json").out) == {"interrupted": False}


def test_a_pass_beside_a_service_does_nothing_and_says_who_it_is(newsroom: Path, run: Run) -> None:
    with Lease(newsroom / "subscribers.db") as lease:
        lease.take(datetime(2026, 3, 12, 7, tzinfo=UTC))
        done = run("run", "--once")
    assert done.code == 3
    assert "held by process" in done.err
    assert "since 2026-03-12T07:00:00Z" in done.err


def test_a_service_without_a_database_does_not_make_one(newsroom: Path, run: Run) -> None:
    for path in newsroom.glob("subscribers.db*"):
        path.unlink()
    for words in (("run",), ("run", "--once")):
        assert run(*words).code == 1
    assert not (newsroom / "subscribers.db").exists()


def test_json_without_once_is_wrong_usage(newsroom: Path, run: Run) -> None:
    assert run("run", "--json").code == 2


def test_a_backup_is_made_once_and_gone_on_with_when_it_is_put_back(
    newsroom: Path, run: Run
) -> None:
    made = run("backup", "copy.db")
    assert made.code == 0
    assert made.out.endswith(" MB, complete\n")
    assert run("backup", "copy.db").code == 2
    assert run("restored", "--yes").code == 2
    for left in newsroom.glob("subscribers.db-*"):
        left.unlink()
    (newsroom / "copy.db").rename(newsroom / "subscribers.db")
    for words in (("run", "--once"), ("run",), ("send", "--yes")):
        held = run(*words)
        assert held.code == 4
        assert "digest restored" in held.err
    assert "a backup: nothing is sent before `digest restored`" in run("plan").out
    ahead = run("restored", "--yes", "--since", "2996-01-01")
    assert (ahead.code, ahead.err) == (
        2,
        "error: --since: found '2996-01-01', expected a time in the past\n",
    )
    done = run("restored", "--yes", "--json")
    assert json.loads(done.out)["in_doubt"] == 0
    assert run("run", "--once").code == 3


def test_a_backup_that_cannot_be_written_says_why(newsroom: Path, run: Run) -> None:
    done = run("backup", "nowhere/copy.db")
    assert done.code == 1
    assert "nowhere/copy.db cannot be written: No such file or directory" in done.err
