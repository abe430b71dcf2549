"""Catching up: which of the slots that came get an edition. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from digest.lib.formatting import in_words
from digest.model.newsletter import Newsletter
from digest.model.schedule import CatchUp
from digest.model.slot import Slot, SlotRecord, SlotState

#: A slot is missed when nobody has seen to it for so long: a machine may be slow, or restarted.
GRACE: Final = timedelta(minutes=5)


def came(
    newsletter: Newsletter, earlier: Sequence[SlotRecord], fresh: Sequence[Slot], now: datetime
) -> Iterator[SlotRecord]:
    """What becomes of slots that have come, and of `earlier` ones that may give way to them.

    All ascend. Each fresh one is told once; of the earlier ones, those that change.
    """
    if not fresh:
        return
    newest = fresh[-1]
    if newsletter.timing.catch_up is not CatchUp.REPLAY:
        yield from (_superseded(record, newest) for record in earlier)
    for slot in fresh:
        yield _fresh(newsletter, slot, newest, now)


def _fresh(newsletter: Newsletter, slot: Slot, newest: Slot, now: datetime) -> SlotRecord:
    late = now - slot.at
    timing = newsletter.timing
    due = SlotRecord(slot=slot, state=SlotState.DUE)
    if late <= GRACE:
        return due
    match timing.catch_up:
        case CatchUp.SKIP:
            return due.skipped(f"nobody was at work until {in_words(late)} after it")
        case CatchUp.COLLAPSE if slot != newest:
            return due.skipped(f"missed, and made up for in {newest.name}", made_up_in=newest)
    if timing.max_lateness is not None and late > timing.max_lateness:
        limit = in_words(timing.max_lateness)
        return due.skipped(f"missed by {in_words(late)}, and max_lateness is {limit}")
    return due


def _superseded(record: SlotRecord, newest: Slot) -> SlotRecord:
    if record.tries:
        return record.failed()
    if record.state is SlotState.DRAFT:
        why = "nobody decided on its draft; "
    else:
        why = f"{record.reason}; " if record.reason else ""
    return record.skipped(f"{why}made up for in {newest.name}", made_up_in=newest)


def overdue(newsletter: Newsletter, record: SlotRecord, now: datetime) -> SlotRecord | None:
    """What becomes of an open slot whose time is over; None while it can still be seen to.

    It failed if it was tried in vain. Otherwise nobody got round to it.
    """
    late = now - record.slot.at
    timing = newsletter.timing
    untouched = not record.tries and not record.reason
    if timing.catch_up is CatchUp.SKIP and untouched and late > GRACE:
        return record.skipped(f"nobody was at work until {in_words(late)} after it")
    if timing.max_lateness is None or late <= timing.max_lateness:
        return None
    if record.tries:
        return record.failed()
    why = record.reason or f"missed by {in_words(late)}"
    limit = in_words(timing.max_lateness)
    return record.skipped(f"{why}; max_lateness is {limit}")
