"""The audit finds what cannot be, and nothing else."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from digest.lib.timestamps import to_text
from digest.model.slot import SkippedBy, Slot, SlotRecord, SlotState
from digest.publishing.maintenance import audit
from digest.storage import slots
from digest.storage.database import open_database
from tests.publishing.paper import NOW, Paper

READERS = ("ada@example.com", "ben@example.com")


@pytest.fixture
def sent(paper: Paper) -> Paper:
    """An edition with its slot, one that was skipped before it, and one that fails after it."""
    paper.publish("Ferry late", "Library open")
    paper.publish("An old story", hours=100)
    paper.subscribe(*READERS)
    for id_ in range(1, 1 + len(READERS)):
        receipt(paper, id_, "subscribed")
    put_on_record(paper, -1, SlotState.SKIPPED, "missed, and made up for later", "2026-03-12T07:00")
    put_on_record(paper, 0, SlotState.DUE)
    paper.sent(now=NOW)
    put_on_record(paper, 1, SlotState.FAILED, "the template does not parse")
    return paper


def put_on_record(
    paper: Paper, days: int, state: SlotState, reason: str = "", made_up_in: str | None = None
) -> None:
    at = NOW + timedelta(days=days)
    slot = Slot(newsletter="daily", name=f"{at:%Y-%m-%dT%H:%M}", at=at)
    record = SlotRecord(
        slot=slot,
        state=state,
        reason=reason,
        made_up_in=made_up_in,
        skipped_by=SkippedBy.PROGRAM if state is SlotState.SKIPPED else None,
    )
    with open_database(paper.settings.database) as db:
        slots.add(db, record, at)
        slots.set_recorded_until(db, "daily", at)


def receipt(paper: Paper, subscriber: int, action: str) -> None:
    paper.run(
        "insert into consents (subscriber_id, newsletter, action, wording, origin, at)"
        " values (?, 'daily', ?, 'yes', 'by hand', ?)",
        subscriber,
        action,
        to_text(NOW),
    )


def plant(paper: Paper, *damage: str) -> None:
    """Change the file as none of our own code could: without triggers, checks or references."""
    with closing(sqlite3.connect(paper.settings.database)) as db, db:
        db.execute("pragma ignore_check_constraints = on")
        for (name,) in db.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            db.execute(f"drop trigger {name}")
        for statement in damage:
            db.execute(statement)


def broken(paper: Paper) -> dict[str, tuple[str, ...]]:
    return {breach.rule: breach.ids for breach in audit(paper.settings).breaches}


def test_a_ledger_in_order_has_no_breach(sent: Paper) -> None:
    result = audit(sent.settings)
    assert result.breaches == ()
    assert (result.extent.editions, result.extent.deliveries, result.extent.slots) == (1, 2, 3)
    # The old story has its fate as well.
    assert result.extent.decisions == 3


@pytest.mark.parametrize(
    ("damage", "rule", "named"),
    [
        (
            "delete from stories where position = 1",
            "an article that was chosen is a story of its edition",
            "daily article 1",
        ),
        (
            "delete from decisions where verdict = 'too old'",
            "every newsletter has decided on every article",
            "daily article 3",
        ),
        (
            "delete from decisions where article_id = 1",
            "a story was chosen for its edition and for no other one",
            "daily No. 1 article 1",
        ),
        ("update editions set number = 3", "editions are numbered without gaps", "daily"),
        (
            "delete from deliveries where id = 2",
            "every edition has the deliveries it was stored with",
            "daily No. 1",
        ),
        (
            "insert into delivery_totals values (1, 'sent', 1)",
            "every edition has the deliveries it was stored with",
            "daily No. 1",
        ),
        (
            "update editions set pruned_at = finished_at",
            "pruned deliveries are in the totals only",
            "daily No. 1 delivery 1",
        ),
        (
            "update editions set last_delivery_id = 1",
            "the ids of an edition's deliveries are one run",
            "delivery 2",
        ),
        (
            "update deliveries set subscriber_id = 9 where id = 2",
            "every reader who was active has a delivery",
            "daily No. 1 reader 2",
        ),
        (
            "update deliveries set state = 'queued', finished_at = null where id = 1",
            "an edition is finished when its deliveries are",
            "daily No. 1 delivery 1",
        ),
        (
            "update deliveries set finished_at = null where id = 1",
            "a delivery has an end time if and only if it has ended",
            "delivery 1",
        ),
        (
            "update deliveries set attempts = 0",
            "a delivery that was sent or failed was attempted",
            "delivery 1",
        ),
        (
            "update deliveries set state = 'unknown', reply = null where id = 2",
            "a delivery that was not sent has a reason",
            "delivery 2",
        ),
        (
            "update deliveries set state = 'deferred', reply = '451 later' where id = 1",
            "a deferred delivery has a time for its next attempt",
            "delivery 1",
        ),
        (
            "update deliveries set due_at = '2026-03-14T07:00:00Z' where id = 1",
            "a delivery is due within 27 hours of its slot",
            "delivery 1",
        ),
        (
            "update deliveries set due_at = 'tomorrow' where id = 2",
            "a delivery is due within 27 hours of its slot",
            "delivery 2",
        ),
        (
            "update editions set slot = '2026-03-12T08:00'",
            "a slot has the edition of its own name",
            "daily 2026-03-12T07:00",
        ),
        (
            "update slots set state = 'failed', reason = 'no', edition_id = null"
            " where state = 'prepared'",
            "the slot of an edition refers to it",
            "daily 2026-03-12T07:00 No. 1",
        ),
        (
            "update slots set reason = '' where state = 'failed'",
            "a slot without an edition has a reason",
            "daily 2026-03-13T07:00",
        ),
        (
            "update slots set state = 'lost' where state = 'failed'",
            "the columns of a slot agree with its state",
            "daily 2026-03-13T07:00",
        ),
        (
            "update slots set edition_id = null",
            "the columns of a slot agree with its state",
            "daily 2026-03-12T07:00",
        ),
        (
            "update slots set next_try_at = since where state = 'skipped'",
            "the columns of a slot agree with its state",
            "daily 2026-03-11T07:00",
        ),
        (
            "update slots set skipped_by = null where state = 'skipped'",
            "the columns of a slot agree with its state",
            "daily 2026-03-11T07:00",
        ),
        (
            "update slots set hold_kind = 'late' where state = 'failed'",
            "the columns of a slot agree with its state",
            "daily 2026-03-13T07:00",
        ),
        (
            "update slots set made_up_in = '2026-03-12T09:00' where state = 'skipped'",
            "a slot is made up for in a later one",
            "daily 2026-03-11T07:00",
        ),
        (
            "update timetables set until = '2026-03-12T07:00:00Z'",
            "a slot fails only after its time has come",
            "daily 2026-03-13T07:00",
        ),
        (
            "update slots set due_at = '2026-03-14T07:00:00Z' where state = 'failed'",
            "a slot is due at the time that its name says",
            "daily 2026-03-13T07:00",
        ),
        (
            "update slots set state = 'draft', reason = '' where state = 'failed'",
            "a slot has a draft if and only if its state says so",
            "daily 2026-03-13T07:00",
        ),
        (
            "update deliveries set variant = 'of another edition' where id = 1",
            "every reference is to a row that exists",
            "deliveries row 1",
        ),
        (
            "update deliveries set state = 'lost' where id = 1",
            "every state is a known one",
            "delivery 1",
        ),
        (
            "update deliveries set variant = null where id = 2",
            "every state is a known one",
            "delivery 2",
        ),
        (
            "update editions set state = 'lost'",
            "every state is a known one",
            "daily No. 1",
        ),
    ],
)
def test_each_kind_of_damage_is_named(sent: Paper, damage: str, rule: str, named: str) -> None:
    plant(sent, damage)
    assert broken(sent).get(rule, ("nothing",))[0] == named


def test_who_came_or_came_back_after_an_edition_was_prepared_has_no_part_in_it(sent: Paper) -> None:
    sent.subscribe("cleo@example.com")
    receipt(sent, 3, "subscribed")
    assert broken(sent) == {}
    # Ben had left before the edition of the next day, and is back after it.
    sent.run("update subscriptions set state = 'unsubscribed' where subscriber_id = 2")
    receipt(sent, 2, "unsubscribed")
    sent.publish("Bridge shut")
    assert sent.sent(now=NOW + timedelta(hours=1)) == ["ada@example.com", "cleo@example.com"]
    sent.run("update subscriptions set state = 'active' where subscriber_id = 2")
    receipt(sent, 2, "returned")
    assert broken(sent) == {}
    # A new name is no new subscription.
    receipt(sent, 1, "changed")
    plant(
        sent, "update deliveries set subscriber_id = 2 where edition_id = 2 and subscriber_id = 1"
    )
    assert broken(sent) == {"every reader who was active has a delivery": ("daily No. 2 reader 1",)}


def test_whoever_is_suppressed_is_owed_nothing(sent: Paper) -> None:
    plant(
        sent,
        "update deliveries set subscriber_id = 9 where id = 2",
        "insert into subscribers (id, email, created_at) values (9, 'eve@example.com', 'then')",
        "insert into suppressions values (x'00', 'BEN@example.com', 'complained', 'then')",
    )
    assert broken(sent) == {}


def test_no_more_than_the_first_twenty_are_told(sent: Paper) -> None:
    names = (f"reader{number}@example.com" for number in range(30))
    sent.subscribe(*names)
    sent.publish("Bridge shut")
    sent.sent(now=NOW + timedelta(hours=1))
    plant(sent, "update deliveries set attempts = 0")
    assert [len(ids) for ids in broken(sent).values()] == [20]
