"""Slots: every due time that came, and its state."""

from datetime import datetime
from typing import Final

from digest.lib.timestamps import optional_time, to_text
from digest.model.slot import OPEN_SLOTS, SLOT_TRANSITIONS, Slot, SlotRecord, SlotState
from digest.storage.database import Database
from digest.storage.rows import sql_list, to_row

_RECORDED_UNTIL = "select until from timetables where newsletter = ?"


def recorded_until(db: Database, newsletter: str) -> datetime | None:
    """The time up to which every slot is recorded; None where no schedule was followed yet."""
    return optional_time(db.scalar(_RECORDED_UNTIL, (newsletter,)))


_SET_RECORDED_UNTIL = """
insert into timetables (newsletter, until) values (:newsletter, :until)
on conflict do update set until = excluded.until where excluded.until > timetables.until
"""


def set_recorded_until(db: Database, newsletter: str, until: datetime) -> None:
    """Record that every slot up to this time is recorded. It never goes back."""
    db.execute(_SET_RECORDED_UNTIL, {"newsletter": newsletter, "until": to_text(until)})


_FORGET_RECORDED_UNTIL = "delete from timetables where newsletter = ?"


def forget_recorded_until(db: Database, newsletter: str) -> None:
    """Forget that a schedule was followed; a later one begins anew."""
    db.execute(_FORGET_RECORDED_UNTIL, (newsletter,))


_HAS_EDITION = "select id from editions where newsletter = ? and slot = ?"

_INSERT = """
insert into slots (newsletter, slot, due_at, state, reason, edition_id, made_up_in, skipped_by,
                   since)
values (:newsletter, :name, :at, :state, :reason, :edition_id, :made_up_in, :skipped_by, :now)
on conflict do nothing
"""


def add(db: Database, record: SlotRecord, now: datetime) -> bool:
    """Record a slot. False if it is there already, as when the editor skipped it ahead.

    An edition that somebody sent by hand for this very time becomes the slot's.
    """
    slot = record.slot
    edition_id = db.scalar(_HAS_EDITION, (slot.newsletter, slot.name))
    if edition_id is not None:
        record = SlotRecord(slot=slot, state=SlotState.PREPARED, edition_id=edition_id)
    return db.execute(_INSERT, _values(record, now)).rowcount > 0


_PAIRS = ", ".join(
    f"('{before}', '{after}')"
    for before, states in SLOT_TRANSITIONS.items()
    for after in SlotState
    if after in states
)
_SETTLE = f"""
update slots set state = :state, reason = :reason, made_up_in = :made_up_in, tries = :tries,
    next_try_at = :next_try_at, skipped_by = :skipped_by, hold_kind = :hold_kind,
    since = iif(state = :state, since, :now)
where newsletter = :newsletter and slot = :name and (state, :state) in (values {_PAIRS})
"""  # noqa: S608 (constants)


def settle(db: Database, record: SlotRecord, now: datetime) -> None:
    """Record how an open slot stands now, where `SLOT_TRANSITIONS` allows it.

    Somebody may have skipped it by hand, or made a draft for it, since the caller looked: then
    nothing changes. Its edition is given to it by `give_edition`.
    """
    db.execute(_SETTLE, _values(record, now))


def _values(record: SlotRecord, now: datetime) -> dict[str, object]:
    return to_row(record) | to_row(record.slot) | {"now": to_text(now)}


_WITHOUT_EDITION = sql_list(
    state for state in SlotState if SlotState.PREPARED in SLOT_TRANSITIONS[state]
)
_GIVE_EDITION = f"""
update slots set state = 'prepared', reason = '', made_up_in = null, next_try_at = null,
    skipped_by = null, hold_kind = null, edition_id = e.id, since = :now
from editions e
where slots.newsletter = :newsletter and slots.slot = :slot
  and e.newsletter = slots.newsletter and e.slot = slots.slot
  and slots.state in {_WITHOUT_EDITION}
"""  # noqa: S608 (a constant)


def give_edition(db: Database, newsletter: str, name: str, now: datetime) -> None:
    """Give a slot the edition that was stored for it, by the schedule or by hand."""
    db.execute(_GIVE_EDITION, {"newsletter": newsletter, "slot": name, "now": to_text(now)})


_RECORDS: Final = "select *, slot as name, due_at as at from slots"
_FIND = f"{_RECORDS} where newsletter = ? and slot = ?"


def find(db: Database, newsletter: str, name: str) -> SlotRecord | None:
    """The slot of this name, if it is recorded."""
    return db.value(SlotRecord, _FIND, (newsletter, name))


_OPEN = f"""
{_RECORDS} where newsletter = ? and state in {sql_list(OPEN_SLOTS)} order by due_at, slot
"""


def still_open(db: Database, newsletter: str) -> tuple[SlotRecord, ...]:
    """The slots that have neither an edition nor a reason yet, the oldest first."""
    return db.values(SlotRecord, _OPEN, (newsletter,))


_RECENT = f"{_RECORDS} where newsletter = ? order by due_at desc, slot desc limit ?"


def recent(db: Database, newsletter: str, most: int) -> tuple[SlotRecord, ...]:
    """The newest slots that are recorded, newest first."""
    return db.values(SlotRecord, _RECENT, (newsletter, most))


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
    values = {"newsletter": slot.newsletter, "slot": slot.name}
    return optional_time(db.scalar(_MADE_UP, values))


_WITHOUT_EDITION_SINCE = f"""
{_RECORDS}
where newsletter = :newsletter and (due_at >= :since or since >= :since)
  and state <> 'prepared' and made_up_in is null
order by due_at, slot
"""


def without_edition(db: Database, newsletter: str, since: datetime) -> tuple[SlotRecord, ...]:
    """The slots without an edition that came or changed since then, but for those made up for."""
    values = {"newsletter": newsletter, "since": to_text(since)}
    return db.values(SlotRecord, _WITHOUT_EDITION_SINCE, values)
