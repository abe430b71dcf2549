"""Claiming: each slot that comes is put on record once, with what it will have."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from digest.model.newsletter import Newsletter
from digest.model.proposal import DraftState
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.publishing.hours import earliest_hour
from digest.scheduler.catching_up import came
from digest.scheduler.events import ClockWentBack, Event, SlotChanged
from digest.scheduler.timetable import slots_after
from digest.storage import drafts, slots
from digest.storage.connection import Database

#: How long before its time a slot can come at most, besides its lead: the first zone is this early.
_FIRST_ZONE: Final = timedelta(hours=27)


def claim_slots(
    db: Database, newsletter: Newsletter, now: datetime, tell: Callable[[Event], None]
) -> None:
    """Put every slot on record that has come since the last time.

    A schedule is followed from the first time that this is called for it. Two processes that do
    it at once put each slot on record once.
    """
    key = newsletter.key
    until = slots.until(db, key)
    if newsletter.schedule is None:
        if until is not None:
            slots.unfollow(db, key)
        return
    if until is None:
        slots.follow(db, key, now)
        return
    fresh = _come(db, newsletter, until, now)
    if fresh:
        for record in _put_on_record(db, newsletter, fresh, until, now):
            tell(SlotChanged(record=record))
        return
    ahead = until - now - newsletter.timing.lead_time - _FIRST_ZONE
    if ahead > timedelta(0):
        tell(ClockWentBack(newsletter=key, by=until - now))


def comes_at(db: Database, newsletter: Newsletter, slot: Slot) -> datetime:
    """When a slot is seen to: at its time, or before it for early readers and for the editor."""
    timing = newsletter.timing
    lead = timing.lead_time if timing.approval else timedelta(0)
    return earliest_hour(db, newsletter, slot) - lead


def _come(db: Database, newsletter: Newsletter, until: datetime, now: datetime) -> list[Slot]:
    fresh = []
    for slot in slots_after(newsletter, until):
        if comes_at(db, newsletter, slot) > now:
            break
        fresh.append(slot)
    return fresh


def _put_on_record(
    db: Database, newsletter: Newsletter, fresh: list[Slot], until: datetime, now: datetime
) -> list[SlotRecord]:
    with db.transaction():
        if slots.until(db, newsletter.key) != until:
            return []  # somebody else was quicker
        earlier = [
            record
            for record in slots.still_open(db, newsletter.key)
            if record.slot.at < fresh[-1].at and _gives_way(db, record)
        ]
        changed = []
        for record in came(newsletter, earlier, fresh, now):
            if record.slot in fresh:
                added = slots.add(db, record, now)
            else:
                slots.settle(db, record, now)
                added = True
            if added:
                changed.append(record)
        slots.follow(db, newsletter.key, fresh[-1].at)
    return changed


def _gives_way(db: Database, record: SlotRecord) -> bool:
    """Whether a newer slot takes this one's place. What the editor decided about, stays."""
    if record.state is SlotState.DUE:
        return True
    draft = drafts.find(db, record.slot)
    return draft is None or draft.state is DraftState.WAITING
