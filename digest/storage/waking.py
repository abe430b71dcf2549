"""Waking: when an edition that is under way next wants to be looked at."""

import json
from collections.abc import Sequence
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.edition import Edition
from digest.storage import editions
from digest.storage.database import Database

_AWAKE = """
select number from editions
where newsletter = :newsletter and state = 'prepared' and stopped_at is null
  and (wake_at is null or wake_at <= :now)
order by number
"""


def awake(db: Database, newsletter: str, now: datetime) -> tuple[Edition, ...]:
    """The editions under way that want to be looked at, the oldest first; no stopped ones."""
    rows = db.rows(_AWAKE, {"newsletter": newsletter, "now": to_text(now)})
    found = (editions.find(db, newsletter, row["number"]) for row in rows)
    return tuple(edition for edition in found if edition is not None)


_SLEEP = "update editions set wake_at = :until where id = :edition"


def sleep(db: Database, edition_id: int, until: datetime | None) -> None:
    """Leave the edition alone until then; None: look at it the next time."""
    db.execute(_SLEEP, {"edition": edition_id, "until": to_text(until) if until else None})


_OPEN = """
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = :edition
"""

_NEXT_HOUR = f"""
select min(iif(d.state = 'deferred', d.next_attempt_at, coalesce(d.due_at, ''))) {_OPEN}
  and d.state in ('queued', 'deferred')
"""


def next_hour(db: Database, edition_id: int) -> datetime | None:
    """When the next delivery is due or is tried again; a time long past for one that is overdue.

    None where nobody waits.
    """
    row = db.row(_NEXT_HOUR, {"edition": edition_id})
    if row is None or row[0] is None:
        return None
    return from_text(row[0] or "1970-01-01T00:00:00Z")


_ANY_DUE = f"""
select 1 {_OPEN} and d.state in ('queued', 'sending') and (d.due_at is null or d.due_at <= :now)
limit 1
"""


def any_due(db: Database, edition_id: int, now: datetime) -> bool:
    """Whether somebody waits for us at `now`, and not for their hour or their own server."""
    return db.row(_ANY_DUE, {"edition": edition_id, "now": to_text(now)}) is not None


_ANY_AWAKE = f"""
select 1 {_OPEN} and d.state = 'queued' and (d.due_at is null or d.due_at <= :now)
  and coalesce((select timezone from subscribers where id = d.subscriber_id), '')
      not in (select value from json_each(:resting))
limit 1
"""  # noqa: S608 (a constant)


def any_awake(db: Database, edition_id: int, now: datetime, resting: Sequence[str]) -> bool:
    """Whether somebody is due who lives in none of these zones."""
    values = {"edition": edition_id, "now": to_text(now), "resting": json.dumps(list(resting))}
    return db.row(_ANY_AWAKE, values) is not None


_LATER = f"select count(*) {_OPEN} and d.state = 'queued' and d.due_at > :now"


def later(db: Database, edition_id: int, now: datetime) -> int:
    """How many deliveries wait for their own hour."""
    row = db.row(_LATER, {"edition": edition_id, "now": to_text(now)})
    return int(row[0]) if row else 0


_UNDER_WAY = """
select number, stopped_at is not null as stopped, id from editions
where newsletter = ? and state = 'prepared' order by number
"""


def in_the_way(db: Database, newsletter: str, now: datetime) -> str | None:
    """Why the next edition has to wait: an earlier one that is stopped, or not yet with all."""
    for row in db.rows(_UNDER_WAY, (newsletter,)):
        if row["stopped"]:
            return f"No. {row['number']} is stopped; `digest resume` goes on with it"
        if any_due(db, row["id"], now):
            return f"No. {row['number']} is not yet with all its readers"
    return None


_LAST_PROGRESS = f"""
select max(e.created_at, coalesce(max(d.finished_at), ''),
           coalesce(max(iif(d.state = 'queued' and d.due_at <= :now, d.due_at, '')), ''),
           coalesce(max(iif(d.state = 'queued' and d.next_attempt_at <= :now,
                            d.next_attempt_at, '')), '')) {_OPEN}
"""


def last_progress(db: Database, edition_id: int, now: datetime) -> datetime:
    """Since when the edition could have come further at `now`, and did not.

    When a delivery of it last came to its end, or was due: a night in which nobody was due is no
    trouble.
    """
    row = db.row(_LAST_PROGRESS, {"edition": edition_id, "now": to_text(now)})
    if row is None or row[0] is None:
        raise LookupError(f"there is no edition {edition_id} with deliveries")
    return from_text(row[0])
