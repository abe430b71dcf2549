"""Settling: an open slot gets its edition, a draft, a reason, or another try."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from digest.config import Settings
from digest.errors import DigestError, SlotTaken, StorageError
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord, SlotState
from digest.publishing.drafts import drafting
from digest.publishing.drafts.drafting import Go, Hold, Skip
from digest.publishing.hours import earliest_hour
from digest.publishing.prepare import freeze, prepare
from digest.publishing.skipped import Skipped
from digest.scheduler.catching_up import overdue
from digest.storage import slots, waking
from digest.storage.connection import Database

#: A slot that failed is tried again so soon, then ever later, but not more rarely than this.
_SOON: Final = timedelta(minutes=1)
_AT_LAST: Final = timedelta(minutes=30)

#: How often a draft is looked at whose hour has come and about which nobody has decided.
_HELD: Final = timedelta(minutes=1)


def is_time(db: Database, newsletter: Newsletter, record: SlotRecord, now: datetime) -> bool:
    """Whether an open slot is to be seen to now: a draft waits for its hour, a failure for its."""
    if record.next_try_at is not None and record.next_try_at > now:
        return False
    if record.state is SlotState.DRAFT:
        return earliest_hour(db, newsletter, record.slot) <= now
    return True


def settle_slot(
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
        result = put_off(record, error, now)
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
    return result


def put_off(record: SlotRecord, error: DigestError, now: datetime) -> SlotRecord:
    """The slot, to be tried again: it could not be given its edition, and this is why."""
    advice = f" {error.hint}" if error.hint else ""
    pause = min(_AT_LAST, _SOON * 2**record.tries)
    return replace(
        record, reason=f"{error.message}.{advice}", tries=record.tries + 1, next_try_at=now + pause
    )


def _seen_to(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    if record.state is SlotState.DRAFT:
        return _by_the_editor(db, settings, newsletter, record, now)
    over = overdue(newsletter, record, now)
    if over is not None:
        return over
    if newsletter.timing.approval:
        proposal = drafting.make_draft(db, settings, newsletter, record.slot, now=now)
        if isinstance(proposal, Skipped):
            return _skipped(record, proposal.reason)
        return replace(record, state=SlotState.DRAFT, reason="", next_try_at=None)
    obstacle = waking.in_the_way(db, newsletter.key, now)
    if obstacle is not None:
        return replace(record, reason=obstacle, next_try_at=None)
    result = prepare(db, settings, newsletter, now=now, slot=record.slot)
    return _skipped(record, result.reason) if isinstance(result, Skipped) else result


def _by_the_editor(
    db: Database, settings: Settings, newsletter: Newsletter, record: SlotRecord, now: datetime
) -> Edition | SlotRecord:
    """What the editor decided about the draft, or what is done where nobody did."""
    match drafting.decide(db, settings, newsletter, record.slot, now=now):
        case Hold(reason=reason):
            return replace(record, reason=reason, next_try_at=now + _HELD)
        case Skip(reason=reason):
            return _skipped(record, reason)
        case Go(draft=draft):
            obstacle = waking.in_the_way(db, newsletter.key, now)
            if obstacle is not None:
                return replace(record, reason=obstacle, next_try_at=None)
            result = freeze(db, settings, newsletter, draft, now=now, slot=record.slot)
            return _skipped(record, result.reason) if isinstance(result, Skipped) else result
        case never:
            assert_never(never)


def _skipped(record: SlotRecord, reason: str) -> SlotRecord:
    return replace(record, state=SlotState.SKIPPED, reason=reason, next_try_at=None)
