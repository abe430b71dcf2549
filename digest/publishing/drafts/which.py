"""Which draft, and which slot, an editor means who names none, or the one of a slot."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from digest.errors import LedgerError, UsageError
from digest.model.draft import StoredDraft
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, SlotState
from digest.publishing.skipped import Skipped
from digest.storage import drafts, slots
from digest.storage.database import Database

#: So many slots ahead one is looked for by its name.
_FURTHEST: Final = 10_000


def open_draft(db: Database, newsletter: Newsletter, slot: str | None) -> StoredDraft | None:
    """The open draft of this slot, or the one whose slot is the earliest."""
    there = drafts.still_open(db, newsletter.key)
    return next((one for one in there if slot in (None, one.slot.name)), None)


def existing(db: Database, slot: Slot) -> StoredDraft:
    """The draft of a slot that has one. Raises LedgerError if somebody was quicker."""
    stored = drafts.find(db, slot)
    if stored is None:
        raise LedgerError(f"the draft of {slot.newsletter} for {slot.name} is gone")
    return stored


def open_slot(
    db: Database, newsletter: Newsletter, upcoming: Iterable[Slot], name: str | None
) -> Slot | Skipped:
    """The first slot to come that is still open, or the one of this name.

    Raises UsageError for a name that no slot to come has.
    """
    for slot in islice(upcoming, _FURTHEST):
        if name is not None and slot.name < name:
            continue
        if name is not None and slot.name != name:
            break
        found = slots.find(db, newsletter.key, slot.name)
        if found is None or found.state in (SlotState.DUE, SlotState.DRAFT):
            return slot
        if found.state is not SlotState.PREPARED:
            return Skipped(
                reason=f"nothing comes at {slot.name}: {found.reason}; --slot names another slot"
            )
        if name is not None:
            return Skipped(reason=f"the slot {slot.name} has its edition")
    if name is not None:
        raise UsageError(
            f"--slot: {newsletter.key} has no slot {name} to come, and no draft for it",
            hint="`digest plan` lists the slots that come; a slot is named 2026-03-12T07:00.",
        )
    return Skipped(reason=f"{newsletter.key} has no slot to come")


def no_draft(newsletter: Newsletter) -> Skipped:
    """Why nothing was done, where no draft waits."""
    return Skipped(reason=f"no draft of {newsletter.key} waits; `digest draft` makes one")
