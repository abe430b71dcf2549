import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def send_one(run: Run) -> None:
    link = "https://www.example.com/pool"
    run("articles", "add", "Pool opens", link, "--published", "2026-03-11T18:00")
    assert run("send", "--outbox", "outbox", "--at", "2026-03-12T07:00").code == 0


def test_an_edition_is_one_line_with_the_counts_that_are_not_zero(newsroom: Path, run: Run) -> None:
    send_one(run)
    assert run("status").out == (
        "Edition  Slot              State  Readers  Subject\n"
        "No. 1    2026-03-12T07:00  sent   2 sent   Example News: Pool opens\n"
    )


def test_it_can_be_read_on_a_narrow_terminal(newsroom: Path, run: Run, terminal: Run) -> None:
    send_one(run)
    assert max(map(len, terminal("status", columns=80).out.splitlines())) <= 80
    assert terminal("status", columns=40).out == (
        "No. 1  2026-03-12T07:00  sent\n  2 sent\n  Example News: Pool opens\n"
    )


def test_of_many_unfinished_the_first_are_shown_and_the_reasons_counted(
    newsroom: Path, run: Run
) -> None:
    rows = "".join(f"r{number}@example.com\n" for number in range(98))
    (newsroom / "readers.csv").write_text(f"email\n{rows}")
    run("subscribers", "import", "readers.csv")
    run("send", "--outbox", "outbox")
    with sqlite3.connect(newsroom / "subscribers.db") as db:
        db.execute("update deliveries set state = 'rejected', reply = '550 no such user'")
        db.execute("update deliveries set state = 'deferred', reply = '451 later' where id % 4 = 0")
    done = run("status")
    assert done.code == 5
    assert "No. 1: not surely with 100 readers\n" in done.out
    assert "  75 rejected: 550 no such user\n  25 deferred: 451 later\n" in done.out
    assert done.out.count("@example.com") == 20
    assert done.err == "… and 80 more: `--json` has all\n"
    assert len(json.loads(run("status", "--json").out)[0]["unfinished"]) == 100
