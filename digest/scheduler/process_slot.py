"""Processing one open slot: it gets its edition, a draft, a reason, or another try."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from digest.config import Settings
from digest.errors import DigestError, SlotTaken, StorageError
from digest.lib.backoff import Backoff
from digest.model.draft import DraftState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.slot import HoldKind, SlotRecord, SlotState
from digest.publishing.drafts import lifecycle
from digest.publishing.drafts.lifecycle import Wait
from digest.publishing.editions.build import EditionBuild, Skipped
from digest.publishing.editions.due_times import earliest_due_time
from digest.publishing.editions.store import prepare, retry_superseded, store_edition
from digest.schedule.catch_up import overdue
from digest.scheduler.due_slots import processed_from
from digest.storage import delivery_stats, editions, slots
from digest.storage.database import Database

#: When a slot that failed is tried again.
_BACKOFF: Final = Backoff(first=timedelta(minutes=1), longest=timedelta(minutes=30))

#: How often a draft is looked at that is held after its time has come.
_CHECK_HELD_EVERY: Final = timedelta(minutes=1)


def is_time(db: Database, newsletter: Newsletter, record: SlotRecord, now: datetime) -> bool:
    """Whether an open slot is to be processed now: a draft at its time, a failure at its next try.

    A draft of a newsletter without a schedule waits for `digest send`. A slot that is due came by
    the settings of then; by those of now it may come later.
    """
    again = record.next_try_at
    # No pause is longer: a later time was written by a clock that was ahead.
    if again is not None and now < again <= now + _BACKOFF.longest:
        return False
    if record.state is SlotState.DRAFT:
        if newsletter.schedule is None:
            return False
        return earliest_due_time(db, newsletter, record.slot) <= now
    return processed_from(db, newsletter, record.slot) <= now


def process_slot(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> SlotRecord:
    """Process an open slot, and record the result. The caller holds the sender's lock.

    Raises StorageError, in which case the slot is as it was.
    """
    try:
        result = _process(db, settings, newsletter, record, now)
    except StorageError:
        raise
    except SlotTaken:
        slots.give_edition(db, newsletter.key, record.slot.name, now)
        return slots.find(db, newsletter.key, record.slot.name) or record
    except DigestError as error:
        result = postpone(record, error, now)
    if isinstance(result, Edition):
        return replace(
            record.waiting(""),
            state=SlotState.PREPARED,
            made_up_in=None,
            edition_id=result.stored_id,
        )
    slots.settle(db, result, now)
    return slots.find(db, newsletter.key, record.slot.name) or result


def postpone(record: SlotRecord, error: DigestError, now: datetime) -> SlotRecord:
    """The slot, to be tried again: its edition could not be made, because of this error."""
    advice = f" {error.hint}" if error.hint else ""
    tries = record.tries + 1
    return replace(
        record.waiting(f"{error.message}.{advice}"),
        tries=tries,
        next_try_at=now + _BACKOFF.after(tries),
    )


def unexpected_error(error: Exception) -> DigestError:
    """An error of digest itself, as one that the owner is told about."""
    return DigestError(
        f"an unexpected error, {type(error).__name__}: {error}",
        hint="This is a fault of digest; its traceback is in the log of `digest run`. Please"
        " report it.",
    )


def blocking_reason(db: Database, newsletter: Newsletter, now: datetime) -> str | None:
    """Why the next edition has to wait for an earlier one; None where it need not."""
    for edition in editions.under_way(db, newsletter.key):
        if edition.stopped_at is not None:
            return f"No. {edition.number} is stopped; `digest resume` continues it"
        if delivery_stats.has_due(db, edition.id, now):
            return f"No. {edition.number} is still being sent"
    return None


def _process(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    if record.state is SlotState.DRAFT:
        # The editor may decide something else while the edition is being stored.
        return retry_superseded(lambda: _process_draft(db, settings, newsletter, record, now))
    over = overdue(newsletter, record, now)
    if over is not None:
        return over
    if newsletter.timing.approval:
        contents = lifecycle.make_draft(db, settings, newsletter, record.slot, now=now)
        if isinstance(contents, Skipped):
            return record.skipped(contents.reason)
        return replace(record.waiting(""), state=SlotState.DRAFT)
    obstacle = blocking_reason(db, newsletter, now)
    if obstacle is not None:
        return record.waiting(obstacle)
    result = prepare(db, settings, newsletter, now=now, slot=record.slot)
    return record.skipped(result.reason) if isinstance(result, Skipped) else result


def _process_draft(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    """What the editor decided on the draft, or what is done where nobody did."""
    decision = lifecycle.decide(db, settings, newsletter, record.slot, now=now)
    if isinstance(decision, Wait):
        return record.held(decision.kind, decision.reason, until=now + _CHECK_HELD_EVERY)
    if isinstance(decision, Skipped):
        return record.skipped(decision.reason)
    over = overdue(newsletter, record, now)
    if over is not None:
        decided = _decided_at(decision)
        if decided is None:
            return over
        if overdue(newsletter, record, decided) is None:
            # It was to go out at its time. Whether it still should, the editor decides.
            reason = f"{over.reason}; `digest approve` releases it anyway"
            return record.held(HoldKind.LATE, reason, until=now + _CHECK_HELD_EVERY)
    obstacle = blocking_reason(db, newsletter, now)
    if obstacle is not None:
        return record.waiting(obstacle)
    result = store_edition(db, settings, newsletter, decision, now=now, slot=record.slot)
    return record.skipped(result.reason) if isinstance(result, Skipped) else result


def _decided_at(build: EditionBuild) -> datetime | None:
    """When somebody decided on the draft; None where nobody did, or there was none."""
    draft = build.draft
    return draft.decided_at if draft and draft.state is not DraftState.WAITING else None
