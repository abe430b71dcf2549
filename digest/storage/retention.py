"""Retention: the deliveries of editions long finished become totals, a batch at a time.

A batch is one transaction that adds to the totals what it takes from the deliveries. So an
edition's totals and its remaining deliveries are all of its readers at any time.
"""

from datetime import datetime
from typing import Final

from digest.lib.timestamps import to_text
from digest.model.delivery import SETTLED_DELIVERIES
from digest.storage.database import Database
from digest.storage.rows import sql_list

#: Deliveries of one batch: others wait for the write lock as long as that takes.
BATCH: Final = 10_000

_SETTLED: Final = sql_list(SETTLED_DELIVERIES)

_FINISHED = """
select id from editions
where pruned_at is null and state <> 'prepared' and finished_at <= :before
order by id
"""


def finished_before(db: Database, before: datetime) -> tuple[int, ...]:
    """The ids of editions that were finished at or before this instant and are not pruned."""
    return tuple(row["id"] for row in db.rows(_FINISHED, {"before": to_text(before)}))


# Somebody may resume an edition meanwhile. What is Unknown, or waits, stays.
_FIRST = f"""
select id from edition_deliveries
where edition_id = :edition and edition_state <> 'prepared' and state in {_SETTLED}
order by id
limit 1
"""  # noqa: S608 (a constant)

_ADD_TO_TOTALS = f"""
insert into delivery_totals (edition_id, state, n)
select edition_id, state, count(*) from deliveries
where id between :first and :first + :most - 1 and edition_id = :edition
  and state in {_SETTLED}
group by state
on conflict (edition_id, state) do update set n = n + excluded.n
"""  # noqa: S608 (a constant)

_DELETE = f"""
delete from deliveries
where id between :first and :first + :most - 1 and edition_id = :edition
  and state in {_SETTLED}
"""  # noqa: S608 (a constant)


def prune_batch(db: Database, edition_id: int, *, most: int = BATCH) -> int:
    """Turn up to `most` deliveries of a finished edition into totals; how many there were."""
    with db.transaction():
        row = db.row(_FIRST, {"edition": edition_id})
        if row is None:
            return 0
        values = {"edition": edition_id, "first": row["id"], "most": most}
        db.execute(_ADD_TO_TOTALS, values)
        return db.execute(_DELETE, values).rowcount


_MARK = """
update editions set pruned_at = :now
where id = :edition and pruned_at is null and state <> 'prepared' and not exists (
    select 1 from deliveries where edition_id = :edition)
"""

_DROP_VARIANTS = "delete from variants where edition_id = ?"
_DROP_IMAGES = "delete from images where edition_id = ?"


def mark_pruned(db: Database, edition_id: int, now: datetime) -> bool:
    """Drop what an edition without deliveries no longer needs. False while it has some."""
    with db.transaction():
        if not db.execute(_MARK, {"edition": edition_id, "now": to_text(now)}).rowcount:
            return False
        db.execute(_DROP_VARIANTS, (edition_id,))
        db.execute(_DROP_IMAGES, (edition_id,))
        return True
