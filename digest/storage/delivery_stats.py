"""Counts and times of the deliveries of editions.

SQL counts, so that an edition with a million readers is not read into memory.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text, optional_time, to_text
from digest.model.delivery import WAITING_DELIVERIES, DeliveryState
from digest.storage import deliveries
from digest.storage.database import Database
from digest.storage.rows import from_row, sql_list


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """How many deliveries of a newsletter's unfinished editions are in a state."""

    newsletter: str
    state: DeliveryState
    n: int


_QUEUES = """
select newsletter, state, count(*) as n from edition_deliveries where edition_state <> 'sent'
group by 1, 2
order by 1, 2
"""


def queues(db: Database) -> tuple[QueueCount, ...]:
    """Count the deliveries of all editions that are not finished, by newsletter and state."""
    return db.values(QueueCount, _QUEUES)


_LAST_UNKNOWN = """
select max(finished_at) from edition_deliveries where edition_id = ? and state = 'unknown'
"""


def last_unknown(db: Database, edition_id: int) -> datetime | None:
    """When a delivery of the edition last became Unknown; None where none is."""
    return optional_time(db.scalar(_LAST_UNKNOWN, (edition_id,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """The deliveries of an edition by state, and when it continues.

    `not_yet_due` of the queued ones wait for their reader's hour, the first of them until
    `next_due_at`; of the deferred ones, the first is tried again at `next_attempt_at`. `recent`
    were finished since the time that was asked for, the first of them at `recent_from`.
    """

    counts: Mapping[DeliveryState, int]
    not_yet_due: int
    next_due_at: datetime | None
    next_attempt_at: datetime | None
    recent: int
    recent_from: datetime | None


_TIMES = """
select count(*) filter (where state = 'queued' and due_at > :now) as not_yet_due,
       min(due_at) filter (where state = 'queued' and due_at > :now) as next_due_at,
       min(next_attempt_at) filter (where state = 'deferred') as next_attempt_at,
       count(*) filter (where finished_at >= :since) as recent,
       min(finished_at) filter (where finished_at >= :since) as recent_from
from edition_deliveries where edition_id = :edition and (state <> 'sent' or finished_at >= :since)
"""


def delivery_counts(
    db: Database, edition_id: int, *, now: datetime, since: datetime
) -> DeliveryCounts:
    """Count the deliveries of an edition as they stand at `now`; a state without any counts 0."""
    values = {"edition": edition_id, "now": to_text(now), "since": to_text(since)}
    row = db.rows(_TIMES, values)[0]
    return from_row(DeliveryCounts, row, counts=deliveries.counts(db, edition_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedReason:
    """A state and a reply, and for how many readers the edition is not confirmed because of it."""

    state: DeliveryState
    reply: str
    readers: int


_REASONS = """
select state, ifnull(reply, '') as reply, count(*) as readers, count(*) over () as reasons
from edition_deliveries where edition_id = :edition and state <> 'sent'
group by 1, 2
order by readers desc, 1, 2
limit :most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedReasons:
    """The most frequent reasons, and how many different ones there are."""

    first: tuple[UnfinishedReason, ...] = ()
    different: int = 0


def unfinished_reasons(db: Database, edition_id: int, *, most: int) -> UnfinishedReasons:
    """Why an edition is not confirmed for readers: the most frequent reasons first."""
    rows = db.rows(_REASONS, {"edition": edition_id, "most": most})
    return UnfinishedReasons(
        first=tuple(from_row(UnfinishedReason, row) for row in rows),
        different=rows[0]["reasons"] if rows else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedDelivery:
    """A reader for whom the edition is not confirmed, why, and when it is attempted next."""

    email: str
    state: DeliveryState
    reply: str
    next_at: datetime | None = None


# What needs attention comes first. Only readers who are listed are looked up.
_UNFINISHED = """
with listed as materialized (
    select id, subscriber_id, state, reply,
           case state when 'queued' then due_at when 'deferred' then next_attempt_at end as next_at,
           case state when 'unknown' then 1 when 'rejected' then 2 when 'deferred' then 3
                        when 'sending' then 4 when 'queued' then 5 else 6 end as rank
    from edition_deliveries where edition_id = :edition and state <> 'sent'
    order by rank, id
    limit :most
)
select s.email, l.state, ifnull(l.reply, '') as reply, l.next_at
from listed l join subscribers s on s.id = l.subscriber_id
order by l.rank, l.id
"""


def unfinished(db: Database, edition_id: int, *, most: int = -1) -> tuple[UnfinishedDelivery, ...]:
    """For whom the edition is not confirmed: the first `most` of them, all if negative."""
    return db.values(UnfinishedDelivery, _UNFINISHED, {"edition": edition_id, "most": most})


_NEXT_DELIVERY = f"""
select min(iif(state = 'deferred', next_attempt_at, coalesce(due_at, '1970-01-01T00:00:00Z')))
from edition_deliveries where edition_id = ? and state in {sql_list(WAITING_DELIVERIES)}
"""  # noqa: S608 (a constant)


def next_delivery_at(db: Database, edition_id: int) -> datetime | None:
    """When the next delivery is due or is tried again; a time long past for one that is overdue.

    None where none waits.
    """
    return optional_time(db.scalar(_NEXT_DELIVERY, (edition_id,)))


_HAS_DUE = """
select 1 from edition_deliveries
where edition_id = :edition and state in ('queued', 'sending')
  and (due_at is null or due_at <= :now)
limit 1
"""


def has_due(db: Database, edition_id: int, now: datetime) -> bool:
    """Whether a delivery is due at `now`: it waits neither for its hour nor for a retry."""
    return db.row(_HAS_DUE, {"edition": edition_id, "now": to_text(now)}) is not None


_HAS_DUE_OUTSIDE = """
select 1 from edition_deliveries d
where edition_id = :edition and state = 'queued' and (due_at is null or due_at <= :now)
  and coalesce((select timezone from subscribers where id = d.subscriber_id), '')
      not in (select value from json_each(:zones))
limit 1
"""


def has_due_outside(db: Database, edition_id: int, now: datetime, zones: Sequence[str]) -> bool:
    """Whether a delivery is due to a reader who lives in none of these zones."""
    values = {"edition": edition_id, "now": to_text(now), "zones": json.dumps(list(zones))}
    return db.row(_HAS_DUE_OUTSIDE, values) is not None


_COUNT_NOT_YET_DUE = """
select count(*) from edition_deliveries
where edition_id = :edition and state = 'queued' and due_at > :now
"""


def count_not_yet_due(db: Database, edition_id: int, now: datetime) -> int:
    """How many deliveries wait for their reader's hour."""
    values = {"edition": edition_id, "now": to_text(now)}
    return int(db.scalar(_COUNT_NOT_YET_DUE, values))


_LAST_PROGRESS = """
select max(e.created_at, coalesce(max(d.finished_at), ''),
           coalesce(max(iif(d.state = 'queued' and d.due_at <= :now, d.due_at, '')), ''),
           coalesce(max(iif(d.state = 'queued' and d.next_attempt_at <= :now,
                            d.next_attempt_at, '')), ''))
from editions e join edition_deliveries d on d.edition_id = e.id
where e.id = :edition
"""


def last_progress(db: Database, edition_id: int, now: datetime) -> datetime:
    """Since when an edition could have made progress at `now`, and has made none.

    When a delivery of it last ended or became due: a night in which none is due is no delay.
    """
    last = db.scalar(_LAST_PROGRESS, {"edition": edition_id, "now": to_text(now)})
    if last is None:
        raise LookupError(f"there is no edition {edition_id} with deliveries")
    return from_text(last)
