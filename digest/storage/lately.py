"""Lately: the slots and editions of the last days that may be worth telling the owner about."""

from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.edition import EditionState
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.storage.database import Database

_SLOTS = """
select slot, due_at, state, reason, tries, next_try_at from slots
where newsletter = :newsletter and (due_at >= :since or since >= :since)
  and state <> 'prepared' and made_up_in is null
order by due_at, slot
"""


def slots_without_edition(db: Database, newsletter: str, since: datetime) -> tuple[SlotRecord, ...]:
    """The slots due, or ended, since then that have no edition, but for those made up for."""
    return tuple(
        SlotRecord(
            slot=Slot(newsletter=newsletter, name=row["slot"], at=from_text(row["due_at"])),
            state=SlotState(row["state"]),
            reason=row["reason"],
            tries=row["tries"],
            next_try_at=from_text(row["next_try_at"]) if row["next_try_at"] else None,
        )
        for row in db.rows(_SLOTS, {"newsletter": newsletter, "since": to_text(since)})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """An edition, without what stands in it."""

    id: int
    number: int
    subject: str
    state: EditionState
    created_at: datetime
    stopped_at: datetime | None
    finished_at: datetime | None


_EDITIONS = """
select id, number, subject, state, created_at, stopped_at, finished_at from editions
where newsletter = :newsletter and (created_at >= :since or finished_at >= :since)
order by number
"""


def editions_since(db: Database, newsletter: str, since: datetime) -> tuple[Lately, ...]:
    """The editions that were prepared or finished since then, in order."""
    return tuple(
        Lately(
            id=row["id"],
            number=row["number"],
            subject=row["subject"],
            state=EditionState(row["state"]),
            created_at=from_text(row["created_at"]),
            stopped_at=from_text(row["stopped_at"]) if row["stopped_at"] else None,
            finished_at=from_text(row["finished_at"]) if row["finished_at"] else None,
        )
        for row in db.rows(_EDITIONS, {"newsletter": newsletter, "since": to_text(since)})
    )


_LAST_UNKNOWN = """
select max(d.finished_at)
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = ? and d.state = 'unknown'
"""


def last_unknown(db: Database, edition_id: int) -> datetime | None:
    """When a delivery of the edition last became Unknown; None where none is."""
    row = db.row(_LAST_UNKNOWN, (edition_id,))
    return from_text(row[0]) if row and row[0] else None
