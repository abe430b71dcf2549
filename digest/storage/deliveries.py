"""The deliveries of an edition, all together: counted, queued again, and the Unknown decided on."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from digest.lib.timestamps import to_text
from digest.model.delivery import DeliveryState
from digest.storage.database import Database

_REQUEUE = """
update deliveries set state = 'queued'
where id between (select first_delivery_id from editions where id = :edition)
             and (select last_delivery_id from editions where id = :edition)
  and state = 'deferred' and (:all or next_attempt_at <= :now)
"""


def requeue(db: Database, edition_id: int, now: datetime, *, before_their_hour: bool) -> None:
    """Queue what was deferred and may be tried again at `now`, or all of it."""
    db.execute(_REQUEUE, {"edition": edition_id, "now": to_text(now), "all": before_their_hour})


_DECIDE_UNKNOWN = """
update deliveries set state = :state, finished_at = :now,
    reply = coalesce(reply, '') || :note
where id between (select first_delivery_id from editions where id = :edition)
             and (select last_delivery_id from editions where id = :edition)
  and state = 'unknown'
"""


def resend_unknown(db: Database, edition_id: int) -> None:
    """Queue the Unknown again, at the owner's word: some readers may get the edition twice."""
    values = {"edition": edition_id, "state": DeliveryState.QUEUED, "now": None, "note": ""}
    db.execute(_DECIDE_UNKNOWN, values)


def drop_unknown(db: Database, edition_id: int, now: datetime) -> None:
    """Leave the Unknown be, at the owner's word: some readers may not have the edition."""
    note = " (left so by the owner)"
    values = {
        "edition": edition_id,
        "state": DeliveryState.WITHHELD,
        "now": to_text(now),
        "note": note,
    }
    db.execute(_DECIDE_UNKNOWN, values)


# Sums, because grouping would sort a row for each reader.
_STATES = ", ".join(f"ifnull(sum(d.state = '{state}'), 0) as {state}" for state in DeliveryState)
_COUNTS = f"""
select {_STATES}
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = ?
"""  # noqa: S608 (a constant)

# Of pruned deliveries the totals are left.
_TOTALS = "select state, n from delivery_totals where edition_id = ?"


def counts(db: Database, edition_id: int) -> Mapping[DeliveryState, int]:
    """How many deliveries of an edition are in each state; a state without any counts 0."""
    row = db.row(_COUNTS, (edition_id,))
    found = Counter({state: row[state] if row else 0 for state in DeliveryState})
    for total in db.rows(_TOTALS, (edition_id,)):
        found[DeliveryState(total["state"])] += total["n"]
    return found
