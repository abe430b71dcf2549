"""Skip: an editor leaves out a slot. It is on record, with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from digest.config import Settings
from digest.errors import LedgerError
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.publishing.drafts.which import open_draft, open_slot
from digest.publishing.skipped import Skipped
from digest.storage import slots
from digest.storage.database import open_database

#: How the reason of such a slot begins: what people do themselves they need not be told.
BY_THE_EDITOR: Final = "skipped by the editor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A slot that was left out."""

    slot: Slot
    reason: str


def skip(
    settings: Settings,
    newsletter: Newsletter,
    upcoming: Iterable[Slot],
    *,
    reason: str,
    now: datetime,
    slot: str | None = None,
) -> Left | Skipped:
    """Leave out the slot of the draft, or else one that is due and waits, or is `upcoming`.

    Raises LedgerError, UsageError and StorageErrors.
    """
    told = f"{BY_THE_EDITOR}: {reason}" if reason else BY_THE_EDITOR
    with open_database(settings.database, create=False) as db:
        stored = open_draft(db, newsletter, slot)
        pending = (record.slot for record in slots.still_open(db, newsletter.key))
        target: Slot | Skipped | None = stored.slot if stored else None
        target = target or next((one for one in pending if slot in (None, one.name)), None)
        target = target or open_slot(db, newsletter, upcoming, slot)
        if isinstance(target, Skipped):
            return target
        record = SlotRecord(slot=target, state=SlotState.SKIPPED, reason=told)
        with db.transaction():
            slots.add(db, record, now)
            found = slots.find(db, target.newsletter, target.name)
            if found is None or found.state is SlotState.PREPARED:
                raise LedgerError(
                    f"the slot {target.name} of {target.newsletter} has its edition by now",
                    hint="`digest stop` keeps it from going further.",
                )
            slots.settle(db, replace(record, made_up_in=found.made_up_in), now)
        return Left(slot=target, reason=told)
