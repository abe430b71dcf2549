"""Catching up: which slots whose time has come get an edition, and which are skipped. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from digest.lib.formatting import in_words
from digest.model.newsletter import Newsletter
from digest.model.schedule import CatchUp
from digest.model.slot import Slot, SlotRecord, SlotState

#: A slot this late was missed. Until then a machine may have been slow, or restarted.
GRACE: Final = timedelta(minutes=5)


def decide_slots(
    newsletter: Newsletter, earlier: Sequence[SlotRecord], new: Sequence[Slot], now: datetime
) -> Iterator[SlotRecord]:
    """The state of slots whose time has come, and of `earlier` ones that may give way to them.

    All ascend. Yields a record for each new slot, and for those earlier ones that change.
    """
    if not new:
        return
    newest = new[-1]
    if newsletter.timing.catch_up is not CatchUp.REPLAY:
        yield from (_superseded(record, newest) for record in earlier)
    for slot in new:
        yield _new_record(newsletter, slot, newest, now)


def _new_record(newsletter: Newsletter, slot: Slot, newest: Slot, now: datetime) -> SlotRecord:
    late = now - slot.at
    timing = newsletter.timing
    if late <= GRACE:
        return SlotRecord(slot=slot, state=SlotState.DUE)
    match timing.catch_up:
        case CatchUp.SKIP:
            return _skipped(slot, _not_running(late))
        case CatchUp.COLLAPSE if slot != newest:
            return _skipped(slot, f"missed, and made up for in {newest.name}", newest)
    if timing.max_lateness is not None and late > timing.max_lateness:
        limit = in_words(timing.max_lateness)
        return _skipped(slot, f"{in_words(late)} late, and max_lateness is {limit}")
    return SlotRecord(slot=slot, state=SlotState.DUE)


def _not_running(late: timedelta) -> str:
    return f"`digest run` was not running until {in_words(late)} after its time"


def _skipped(slot: Slot, reason: str, made_up_in: Slot | None = None) -> SlotRecord:
    into = made_up_in.name if made_up_in else None
    return SlotRecord(slot=slot, state=SlotState.SKIPPED, reason=reason, made_up_in=into)


def _superseded(record: SlotRecord, newest: Slot) -> SlotRecord:
    if record.tries:
        return replace(record, state=SlotState.FAILED, next_try_at=None)
    if record.state is SlotState.DRAFT:
        cause = "nobody decided on its draft; "
    else:
        cause = f"{record.reason}; " if record.reason else ""
    return replace(
        record,
        state=SlotState.SKIPPED,
        reason=f"{cause}made up for in {newest.name}",
        made_up_in=newest.name,
        next_try_at=None,
    )


def overdue(newsletter: Newsletter, record: SlotRecord, now: datetime) -> SlotRecord | None:
    """The record of an open slot that is too late; None while an edition may still be made.

    It failed if it was tried. Otherwise it is skipped.
    """
    late = now - record.slot.at
    timing = newsletter.timing
    untouched = not record.tries and not record.reason
    if timing.catch_up is CatchUp.SKIP and untouched and late > GRACE:
        return _skipped(record.slot, _not_running(late))
    if timing.max_lateness is None or late <= timing.max_lateness:
        return None
    if record.tries:
        return replace(record, state=SlotState.FAILED, next_try_at=None)
    cause = record.reason or f"{in_words(late)} late"
    limit = in_words(timing.max_lateness)
    return _skipped(record.slot, f"{cause}; max_lateness is {limit}")
