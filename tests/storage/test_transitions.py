"""What the database does to slots and deliveries is what the tables of the model allow."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.errors import Superseded
from digest.model.delivery import (
    ATTEMPTED_DELIVERIES,
    DELIVERY_TRANSITIONS,
    FINAL_DELIVERIES,
    DeliveryState,
)
from digest.model.draft import DraftContents, DraftItem
from digest.model.edition import Placement
from digest.model.slot import OPEN_SLOTS, SLOT_TRANSITIONS, Slot, SlotRecord, SlotState
from digest.storage import backup, deliveries, drafts, slots
from digest.storage.database import Database, open_database
from digest.storage.deliveries import AttemptResult
from digest.storage.send_journal import Evidence

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
SLOT = Slot(newsletter="daily", name="2026-03-12T07:00", at=NOW)

EDITION = """
insert into editions (id, newsletter, slot, number, state, since, cutoff, last_article_id, nonce,
    subject, created_at, first_delivery_id, last_delivery_id)
values (3, 'daily', '2026-03-12T07:00', 1, 'prepared', '2026-03-10T07:00:00Z',
    '2026-03-12T07:00:00Z', 0, 'n', 's', '2026-03-12T07:00:00Z', 40, 40);
"""

READER = """
insert into subscribers (id, email, created_at)
values (7, 'ada@example.com', '2026-03-01T00:00:00Z');
insert into subscriptions (subscriber_id, newsletter, state, since, token)
values (7, 'daily', 'active', '2026-03-01T00:00:00Z', 't');
insert into variants values (3, 'v', 'en', '[]', '[]', 's', 'h', 't');
"""

DRAFT = DraftContents(placed=(DraftItem(article_id=1, placement=Placement.LEAD),))


def slot_in(folder: Path, state: SlotState) -> None:
    """A database with a slot in this state."""
    with open_database(folder / f"{state}.db") as db:
        if state is SlotState.PREPARED:
            db.execute(EDITION)
        slots.add(db, SlotRecord(slot=SLOT, state=state, reason="because"), NOW)


def put_into(db: Database, state: SlotState) -> None:
    """What puts a slot into a state: `settle`, or an edition that was stored for it."""
    if state is not SlotState.PREPARED:
        slots.settle(db, SlotRecord(slot=SLOT, state=state, reason="new"), NOW)
        return
    if db.row("select 1 from editions") is None:
        db.execute(EDITION)
    slots.give_edition(db, SLOT.newsletter, SLOT.name, NOW)


@pytest.mark.parametrize("after", SlotState)
@pytest.mark.parametrize("before", SlotState)
def test_a_slot_goes_from_state_to_state_as_its_table_says(
    tmp_path: Path, before: SlotState, after: SlotState
) -> None:
    slot_in(tmp_path, before)
    with open_database(tmp_path / f"{before}.db") as db:
        put_into(db, after)
        record = slots.find(db, SLOT.newsletter, SLOT.name)
    assert record is not None
    allowed = after in SLOT_TRANSITIONS[before]
    assert record.state is (after if allowed else before)
    if after is not SlotState.PREPARED:
        assert (record.reason == "new") == allowed


@pytest.mark.parametrize("before", SlotState)
def test_a_draft_is_made_for_a_slot_that_is_due_only(tmp_path: Path, before: SlotState) -> None:
    slot_in(tmp_path, before)
    with open_database(tmp_path / f"{before}.db") as db:
        if before is SlotState.DUE:
            drafts.add(db, SLOT, DRAFT, NOW)
        else:
            with pytest.raises(Superseded):
                drafts.add(db, SLOT, DRAFT, NOW)


def test_every_slot_state_has_its_transitions_and_only_open_ones_have_several() -> None:
    assert SLOT_TRANSITIONS.keys() == {*SlotState}
    assert {state for state, after in SLOT_TRANSITIONS.items() if len(after) > 1} == {*OPEN_SLOTS}
    assert [state for state in SlotState if state.is_open] == [*OPEN_SLOTS]


def delivery_in(db: Database, state: DeliveryState) -> None:
    db.execute(EDITION)
    db.connection.executescript(READER)
    db.execute(
        "insert into deliveries (id, edition_id, subscriber_id, variant, state, attempts,"
        " next_attempt_at, finished_at) values (40, 3, 7, 'v', ?, ?, ?, ?)",
        (
            state,
            int(state in ATTEMPTED_DELIVERIES),
            "2026-03-12T06:00:00Z" if state is DeliveryState.DEFERRED else None,
            "2026-03-12T06:00:00Z" if state in FINAL_DELIVERIES else None,
        ),
    )


def results_in(state: DeliveryState) -> Callable[[Database], None]:
    def record(db: Database) -> None:
        deliveries.record(db, [AttemptResult(delivery_id=40, state=state, reply="because", at=NOW)])

    return record


def claim(db: Database) -> None:
    deliveries.claim(db, 3, NOW, after=0, most=9, untried=True)


def claim_of_a_reader_who_left(db: Database) -> None:
    db.execute("update subscriptions set state = 'unsubscribed'")
    claim(db)


def restore(db: Database) -> None:
    backup.accept_restored(db, since=NOW - timedelta(hours=1), now=NOW)


#: Everything that changes the state of a delivery.
CHANGES: dict[str, Callable[[Database], None]] = {
    "claim": claim,
    "claim of a reader who left": claim_of_a_reader_who_left,
    "requeue": lambda db: deliveries.requeue(db, 3, NOW, before_their_hour=True),
    "release": lambda db: deliveries.release(db, [(40, "")]),
    "resend": lambda db: deliveries.resend_unknown(db, 3),
    "drop": lambda db: deliveries.drop_unknown(db, 3, NOW),
    "recovery without a trace": lambda db: deliveries.recover(db, Evidence(whole=True), NOW),
    "recovery in doubt": lambda db: deliveries.recover(db, Evidence(), NOW),
    "a backup that is put back": restore,
    **{
        f"an attempt that was {state}": results_in(state)
        for state in DELIVERY_TRANSITIONS[DeliveryState.SENDING] - {DeliveryState.QUEUED}
    },
}


def test_deliveries_go_from_state_to_state_as_their_table_says(tmp_path: Path) -> None:
    met = {state: {state} for state in DeliveryState}
    for state in DeliveryState:
        for number, change in enumerate(CHANGES.values()):
            with open_database(tmp_path / f"{state}{number}.db") as db:
                delivery_in(db, state)
                change(db)
                after = db.connection.execute("select state from deliveries").fetchone()[0]
            met[state].add(DeliveryState(after))
    assert {state: after - {state} for state, after in met.items()} == DELIVERY_TRANSITIONS
