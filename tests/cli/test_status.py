import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def send_one(run: Run) -> None:
    link = "https://www.example.com/pool"
    run("articles", "add", "Pool opens", link, "--published", "2026-03-11T18:00")
    assert run("send", "--outbox", "outbox", "--at", "2026-03-12T07:00").code == 0


def schedule(newsroom: Path, *lines: str) -> None:
    file = newsroom / "digest.toml"
    added = "\n".join(("[newsletters.daily]", 'schedule = "daily at 07:00"', *lines))
    file.write_text(file.read_text().replace("[newsletters.daily]", added))


def test_an_edition_is_one_line_with_the_counts_that_are_not_zero(march: Path, run: Run) -> None:
    send_one(run)
    assert run("status").out == (
        "Edition  Slot              State  Readers  Subject\n"
        "No. 1    2026-03-12T07:00  sent   2 sent   Example News: Pool opens\n"
    )


def test_it_can_be_read_on_a_narrow_terminal(march: Path, run: Run, terminal: Run) -> None:
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
    with closing(sqlite3.connect(newsroom / "subscribers.db")) as db, db:
        db.execute("update deliveries set state = 'rejected', reply = '550 no such user'")
        db.execute("update deliveries set state = 'deferred', reply = '451 later' where id % 4 = 0")
    done = run("status")
    assert done.code == 5
    assert "No. 1: not confirmed for 100 readers\n" in done.out
    assert "  75 rejected: 550 no such user\n  25 deferred: 451 later\n" in done.out
    assert done.out.count("@example.com") == 20
    assert done.err == "… and 80 more; --limit 0 lists all\n"
    assert len(json.loads(run("status", "--json").out)["editions"][0]["unfinished"]) == 100


def test_what_waits_or_is_being_sent_is_told_below(march: Path, run: Run) -> None:
    send_one(run)
    with closing(sqlite3.connect(march / "subscribers.db")) as db, db:
        db.execute("update editions set state = 'prepared'")
        db.execute(
            "update deliveries set state = 'queued', finished_at = null, reply = null,"
            " due_at = '2026-03-12T09:00:00Z' where id = 1"
        )
        db.execute(
            "update deliveries set state = 'deferred', finished_at = null, reply = '451 later',"
            " next_attempt_at = '2026-03-12T07:20:00Z' where id = 2"
        )
    done = run("status", "--at", "2026-03-12T07:10")
    assert done.code == 5
    assert done.out.splitlines()[2:] == [
        "No. 1: 1 reader waits for their own time, the first 2026-03-12 09:00 WET",
        "No. 1: deferred deliveries are tried again from 2026-03-12 07:20 WET on",
        "",
        "No. 1: not confirmed for 2 readers",
        "Reader           State     Not before            Why",
        "bo@example.com   deferred  2026-03-12 07:20 WET  451 later",
        "ada@example.com  queued    2026-03-12 09:00 WET  ·",
    ]
    shown = json.loads(run("status", "--at", "2026-03-12T07:10", "--json").out)["editions"][0]
    assert (shown["waiting_for_their_hour"], shown["next_hour"]) == (1, "2026-03-12T09:00:00Z")


def test_slots_without_an_edition_are_listed_with_the_reason(march: Path, run: Run) -> None:
    send_one(run)
    schedule(march, 'approval = "required"')
    with closing(sqlite3.connect(march / "subscribers.db")) as db, db:
        db.execute(
            "insert into slots (newsletter, slot, due_at, state, reason, since) values ('daily',"
            " '2026-03-11T07:00', '2026-03-11T07:00:00Z', 'skipped', '2 of 4 articles', 'then')"
        )
        db.execute(
            "insert into slots (newsletter, slot, due_at, state, since) values ('daily',"
            " '2026-03-13T07:00', '2026-03-13T07:00:00Z', 'draft', 'then')"
        )
        placed = [{"article_id": 1, "placement": "lead"}]
        told = {"placed": placed, "dropped": [], "subject": None, "intro": [], "edited": False}
        db.execute(
            "insert into drafts (newsletter, slot, state, content, made_at) values ('daily',"
            " '2026-03-13T07:00', 'waiting', ?, '2026-03-12T05:00:00Z')",
            [json.dumps({"proposal": told, "approved": None})],
        )
    done = run("status", "--at", "2026-03-12T12:00")
    assert done.code == 0
    assert done.out.splitlines()[2:] == [
        "",
        "Slots without an edition",
        "Slot              State    Why",
        "2026-03-13T07:00  draft    waits for the editor: `digest draft` shows it",
        "2026-03-11T07:00  skipped  2 of 4 articles",
    ]
    held = run("status", "--at", "2026-03-13T07:00")
    assert held.code == 4
    assert "held: `digest draft` shows it, `digest approve` releases it" in held.out


def test_a_draft_that_goes_out_by_hand_waits_for_send_and_holds_nothing_up(
    march: Path, run: Run
) -> None:
    link = "https://www.example.com/pool"
    run("articles", "add", "Pool opens", link, "--published", "2026-03-11T18:00")
    assert run("draft", "--at", "2026-03-12T05:00").code == 0
    approval = ("approve", "--at", "2026-03-12T05:10")
    for decision, words in ((), "waits"), (approval, "approved"):
        assert not decision or run(*decision).code == 0
        done = run("status", "--at", "2026-03-13T07:00")
        assert done.code == 0
        assert f"{words}: `digest send` sends it" in done.out
    passed = run("run", "--once")
    assert (passed.code, passed.out) == (3, "nothing is due\n")


def test_a_draft_whose_hour_has_come_is_held_only_if_nobody_has_decided(
    march: Path, run: Run
) -> None:
    schedule(march, 'approval = "required"', 'max_age = "100w"')
    run("articles", "add", "Pool", "https://www.example.com/pool", "--published", "2026-03-11")
    assert run("draft", "--at", "2026-03-12T05:00").code == 0
    late = ("status", "--at", "2026-03-12T07:05")
    held = run(*late)
    assert held.code == 4
    assert "held: `digest draft` shows it, `digest approve` releases it" in held.out
    assert run("approve", "--at", "2026-03-12T07:05").code == 0
    approved = run(*late)
    assert approved.code == 0
    assert "due now: `digest run` sends it" in approved.out


def test_without_a_name_all_newsletters_are_shown(newsroom: Path, run: Run) -> None:
    with (newsroom / "digest.toml").open("a", encoding="utf-8") as file:
        file.write('[newsletters.weekly]\nfrom = "Example News <news@example.com>"\n')
    run("articles", "add", "Pool opens", "https://www.example.com/pool")
    assert run("send", "daily", "--outbox", "outbox").code == 0
    done = run("status")
    assert done.out.startswith("Newsletter  Edition  Slot")
    assert "\ndaily       No. 1" in done.out
    assert done.err == (
        "weekly has no edition yet; `digest preview` shows what the first would contain\n"
    )
    assert run("status", "weekly").out == ""
