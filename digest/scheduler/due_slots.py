"""Due slots: each is recorded once, with whether it is to get an edition."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from digest.model.draft import DraftState
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.publishing.editions.due_times import earliest_due_time
from digest.schedule.catch_up import GRACE, decide_slots
from digest.schedule.timetable import next_slot, slots_after
from digest.scheduler.events import ClockWentBack, Event, SlotChanged
from digest.storage import drafts, slots
from digest.storage.database import Database

#: How long before its time a slot can come, besides its lead time: the first zone is so early.
_FIRST_ZONE: Final = timedelta(hours=27)

#: How often it is recorded that no slot was due. What a changed schedule would have had before
#: that was not missed.
_RECORD_NOTHING_AFTER: Final = timedelta(hours=1)


def record_due_slots(
    db: Database, newsletter: Newsletter, now: datetime, on_event: Callable[[Event], None]
) -> None:
    """Record every slot that was due since the last time.

    A schedule is followed from the first call for it on. Two processes that do it at once record
    each slot once.
    """
    key = newsletter.key
    until = slots.recorded_until(db, key)
    if newsletter.schedule is None:
        if until is not None:
            slots.forget_recorded_until(db, key)
        return
    if until is None:
        slots.set_recorded_until(db, key, now)
        return
    fresh = _due_slots(db, newsletter, until, now)
    if fresh:
        for record in _record_slots(db, newsletter, fresh, until, now):
            on_event(SlotChanged(record=record))
        return
    if now - until >= _RECORD_NOTHING_AFTER:
        slots.set_recorded_until(db, key, now)
    ahead = until - now - newsletter.timing.lead_time - _FIRST_ZONE
    if ahead > timedelta(0):
        on_event(ClockWentBack(newsletter=key, by=until - now))


def processed_from(db: Database, newsletter: Newsletter, slot: Slot) -> datetime:
    """When a slot is processed: at its time, or before it for early readers and for the editor."""
    timing = newsletter.timing
    lead = timing.lead_time if timing.approval else timedelta(0)
    return earliest_due_time(db, newsletter, slot) - lead


def _due_slots(db: Database, newsletter: Newsletter, until: datetime, now: datetime) -> list[Slot]:
    following = slots_after(newsletter, until)
    return list(takewhile(lambda slot: processed_from(db, newsletter, slot) <= now, following))


def _record_slots(
    db: Database, newsletter: Newsletter, fresh: list[Slot], until: datetime, now: datetime
) -> list[SlotRecord]:
    with db.transaction():
        if slots.recorded_until(db, newsletter.key) != until:
            return []  # another process has recorded them
        coming = [slot for slot in fresh if not _is_handled_already(db, slot)]
        earlier = [
            record
            for record in slots.still_open(db, newsletter.key)
            if coming
            and record.slot.at < coming[-1].at
            and _is_superseded(db, newsletter, record, now)
        ]
        changed = []
        for record in decide_slots(newsletter, earlier, coming, now):
            if record.slot not in coming:
                slots.settle(db, record, now)
            elif not slots.add(db, record, now):
                continue
            changed.append(record)
        slots.set_recorded_until(db, newsletter.key, fresh[-1].at)
    return changed


def _is_handled_already(db: Database, slot: Slot) -> bool:
    """Whether it can make up for no other slot.

    The editor has skipped it ahead, or its wall time was due already, in another zone.
    """
    record = slots.find(db, slot.newsletter, slot.name)
    if record is None:
        return False
    return record.state is SlotState.SKIPPED or record.slot.at != slot.at


def _is_superseded(db: Database, newsletter: Newsletter, record: SlotRecord, now: datetime) -> bool:
    """Whether a newer slot takes this one's place. What the editor decided on stays.

    So does a draft whose time has not passed yet: it is processed at its time.
    """
    if record.state is SlotState.DUE:
        return True
    draft = drafts.find(db, record.slot)
    if draft is not None and draft.state is not DraftState.WAITING:
        return False
    if next_slot(newsletter, record.slot.at - timedelta(seconds=1)) != record.slot:
        return True  # it is no longer in the schedule
    return bool(record.reason) or earliest_due_time(db, newsletter, record.slot) + GRACE < now
