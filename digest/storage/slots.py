"""Slots: every due time that came, and what became of it."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.storage.database import Database

_UNTIL = "select until from timetables where newsletter = ?"


def until(db: Database, newsletter: str) -> datetime | None:
    """The instant up to which every slot is on record; None where no schedule was followed yet."""
    row = db.row(_UNTIL, (newsletter,))
    return from_text(row["until"]) if row else None


_FOLLOW = """
insert into timetables (newsletter, until) values (:newsletter, :until)
on conflict do update set until = excluded.until where excluded.until > timetables.until
"""


def follow(db: Database, newsletter: str, until: datetime) -> None:
    """Every slot up to this instant is on record. It never goes back."""
    db.execute(_FOLLOW, {"newsletter": newsletter, "until": to_text(until)})


_FORGET_TIMETABLE = "delete from timetables where newsletter = ?"


def unfollow(db: Database, newsletter: str) -> None:
    """The schedule is given up; one that comes later begins anew."""
    db.execute(_FORGET_TIMETABLE, (newsletter,))


_HAS_EDITION = "select id from editions where newsletter = ? and slot = ?"

_INSERT = """
insert into slots (newsletter, slot, due_at, state, reason, edition_id, made_up_in, since)
values (:newsletter, :slot, :due_at, :state, :reason, :edition_id, :made_up_in, :now)
on conflict do nothing
"""


def add(db: Database, record: SlotRecord, now: datetime) -> bool:
    """Put a slot on record. False if it is there already, as when the editor left it out ahead.

    An edition that somebody sent by hand at this very time is the slot's.
    """
    slot = record.slot
    taken = db.row(_HAS_EDITION, (slot.newsletter, slot.name))
    values = {
        "newsletter": slot.newsletter,
        "slot": slot.name,
        "due_at": to_text(slot.at),
        "state": SlotState.PREPARED if taken else record.state,
        "reason": "" if taken else record.reason,
        "edition_id": taken["id"] if taken else None,
        "made_up_in": None if taken else record.made_up_in,
        "now": to_text(now),
    }
    return db.execute(_INSERT, values).rowcount > 0


_SETTLE = """
update slots set state = :state, reason = :reason, made_up_in = :made_up_in, tries = :tries,
    next_try_at = :next_try_at, since = iif(state = :state, since, :now)
where newsletter = :newsletter and slot = :slot
  and (state = 'due' or (state = 'draft' and :state <> 'due'))
"""


def settle(db: Database, record: SlotRecord, now: datetime) -> None:
    """Write down how an open slot stands; what has its edition or its reason, keeps it.

    Somebody may have left it out by hand, or made a draft for it, since the caller looked: so a
    draft does not become due again, either. Its edition only `freezing` gives it.
    """
    again = record.next_try_at
    db.execute(
        _SETTLE,
        {
            "newsletter": record.slot.newsletter,
            "slot": record.slot.name,
            "state": record.state,
            "reason": record.reason,
            "made_up_in": record.made_up_in,
            "tries": record.tries,
            "next_try_at": to_text(again) if again else None,
            "now": to_text(now),
        },
    )


_ADOPT = """
update slots set state = 'prepared', reason = '', made_up_in = null, next_try_at = null,
    edition_id = e.id, since = :now
from editions e
where slots.newsletter = :newsletter and slots.slot = :slot
  and e.newsletter = slots.newsletter and e.slot = slots.slot and slots.state <> 'prepared'
"""


def adopt(db: Database, slot: Slot, now: datetime) -> None:
    """Give a slot the edition that somebody made by hand for the same time."""
    values = {"newsletter": slot.newsletter, "slot": slot.name, "now": to_text(now)}
    db.execute(_ADOPT, values)


_FIND = "select * from slots where newsletter = ? and slot = ?"


def find(db: Database, newsletter: str, name: str) -> SlotRecord | None:
    """The slot of this name, if it has come."""
    row = db.row(_FIND, (newsletter, name))
    return _record(row) if row else None


_OPEN = """
select * from slots where newsletter = ? and state in ('due', 'draft') order by due_at, slot
"""


def still_open(db: Database, newsletter: str) -> tuple[SlotRecord, ...]:
    """The slots that have neither an edition nor a reason yet, the oldest first."""
    return _records(db.rows(_OPEN, (newsletter,)))


_RECENT = "select * from slots where newsletter = ? order by due_at desc, slot desc limit ?"


def recent(db: Database, newsletter: str, most: int) -> tuple[SlotRecord, ...]:
    """The newest slots that came, newest first."""
    return _records(db.rows(_RECENT, (newsletter, most)))


_MADE_UP = """
with recursive missed (slot, due_at) as (
    select slot, due_at from slots where newsletter = :newsletter and made_up_in = :slot
    union
    select s.slot, s.due_at from missed m
    join slots s on s.newsletter = :newsletter and s.made_up_in = m.slot
)
select min(due_at) from missed
"""


def first_made_up(db: Database, slot: Slot) -> datetime | None:
    """The instant of the first slot that this one makes up for, directly or through others."""
    row = db.row(_MADE_UP, {"newsletter": slot.newsletter, "slot": slot.name})
    return from_text(row[0]) if row and row[0] else None


def _records(rows: Iterable[sqlite3.Row]) -> tuple[SlotRecord, ...]:
    return tuple(_record(row) for row in rows)


def _record(row: sqlite3.Row) -> SlotRecord:
    again = row["next_try_at"]
    return SlotRecord(
        slot=Slot(newsletter=row["newsletter"], name=row["slot"], at=from_text(row["due_at"])),
        state=SlotState(row["state"]),
        reason=row["reason"],
        edition_id=row["edition_id"],
        made_up_in=row["made_up_in"],
        tries=row["tries"],
        next_try_at=from_text(again) if again else None,
    )
