"""Settling: an open slot gets its edition, a draft, a reason, or another try."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from digest.config import Settings
from digest.errors import DigestError, SlotTaken, StorageError
from digest.lib.backoff import Backoff
from digest.model.draft import DraftState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord, SlotState
from digest.publishing.drafts import lifecycle
from digest.publishing.drafts.lifecycle import Send, Skip, Wait
from digest.publishing.editions.build import EditionBuild, Skipped
from digest.publishing.editions.due_times import earliest_due_time
from digest.publishing.editions.store import prepare, retry_superseded, store_edition
from digest.schedule.catch_up import overdue
from digest.scheduler.due_slots import comes_at
from digest.storage import delivery_stats, slots
from digest.storage.database import Database

#: When a slot that failed is tried again.
_BACKOFF: Final = Backoff(first=timedelta(minutes=1), longest=timedelta(minutes=30))

#: How often a draft is looked at whose hour has come and about which nobody has decided.
_HELD: Final = timedelta(minutes=1)


def is_time(db: Database, newsletter: Newsletter, record: SlotRecord, now: datetime) -> bool:
    """Whether an open slot is to be seen to now: a draft waits for its hour, a failure for its.

    A draft of a newsletter that goes out by hand waits for `digest send`, and not for the clock.

    A slot that is due has come by the settings of then, perhaps, and comes later by those of now.
    """
    again = record.next_try_at
    # Nothing waits longer than that: a clock that was ahead has said so.
    if again is not None and now < again <= now + _BACKOFF.longest:
        return False
    if record.state is SlotState.DRAFT:
        if newsletter.schedule is None:
            return False
        return earliest_due_time(db, newsletter, record.slot) <= now
    return comes_at(db, newsletter, record.slot) <= now


def process_slot(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> SlotRecord:
    """See to an open slot, and put on record what it came to. The caller holds the sender's lock.

    Raises StorageError, in which case the slot is as it was.
    """
    try:
        result = _seen_to(db, settings, newsletter, record, now)
    except StorageError:
        raise
    except SlotTaken:
        slots.adopt(db, record.slot, now)
        return slots.find(db, newsletter.key, record.slot.name) or record
    except DigestError as error:
        result = postpone(record, error, now)
    if isinstance(result, Edition):
        return replace(
            record,
            state=SlotState.PREPARED,
            reason="",
            made_up_in=None,
            next_try_at=None,
            edition_id=result.stored_id,
        )
    slots.settle(db, result, now)
    return slots.find(db, newsletter.key, record.slot.name) or result


def postpone(record: SlotRecord, error: DigestError, now: datetime) -> SlotRecord:
    """The slot, to be tried again: it could not be given its edition, and this is why."""
    advice = f" {error.hint}" if error.hint else ""
    tries = record.tries + 1
    return replace(
        record,
        reason=f"{error.message}.{advice}",
        tries=tries,
        next_try_at=now + _BACKOFF.after(tries),
    )


def unexpected_error(error: Exception) -> DigestError:
    """An error that nobody thought of, in words."""
    return DigestError(
        f"something that nobody foresaw: {type(error).__name__}: {error}",
        hint="The log of the service shows where it comes from. Please report it.",
    )


def _seen_to(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    if record.state is SlotState.DRAFT:
        # The editor may say something else in the moment in which the edition is stored.
        return retry_superseded(lambda: _by_the_editor(db, settings, newsletter, record, now))
    over = overdue(newsletter, record, now)
    if over is not None:
        return over
    if newsletter.timing.approval:
        proposal = lifecycle.make_draft(db, settings, newsletter, record.slot, now=now)
        if isinstance(proposal, Skipped):
            return _skipped(record, proposal.reason)
        return replace(record, state=SlotState.DRAFT, reason="", next_try_at=None)
    obstacle = delivery_stats.blocking_edition(db, newsletter.key, now)
    if obstacle is not None:
        return replace(record, reason=obstacle, next_try_at=None)
    result = prepare(db, settings, newsletter, now=now, slot=record.slot)
    return _skipped(record, result.reason) if isinstance(result, Skipped) else result


def _by_the_editor(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    """What the editor decided about the draft, or what is done where nobody did."""
    match lifecycle.decide(db, settings, newsletter, record.slot, now=now):
        case Wait(reason=reason):
            return replace(record, reason=reason, next_try_at=now + _HELD)
        case Skip(reason=reason):
            return _skipped(record, reason)
        case Send(build=build):
            over = overdue(newsletter, record, now)
            if over is not None:
                decided = _decided_at(build)
                if decided is None:
                    return over
                if overdue(newsletter, record, decided) is None:
                    # It was to go out at its time. Whether it should so late, the editor says.
                    told = f"{over.reason}; `digest approve` lets it out all the same"
                    return replace(record, reason=told, next_try_at=now + _HELD)
            obstacle = delivery_stats.blocking_edition(db, newsletter.key, now)
            if obstacle is not None:
                return replace(record, reason=obstacle, next_try_at=None)
            result = store_edition(db, settings, newsletter, build, now=now, slot=record.slot)
            return _skipped(record, result.reason) if isinstance(result, Skipped) else result
        case never:
            assert_never(never)


def _decided_at(build: EditionBuild) -> datetime | None:
    """When somebody decided about a draft; None where nobody did, or there was none."""
    draft = build.draft
    return draft.decided_at if draft and draft.state is not DraftState.WAITING else None


def _skipped(record: SlotRecord, reason: str) -> SlotRecord:
    return replace(record, state=SlotState.SKIPPED, reason=reason, next_try_at=None)
