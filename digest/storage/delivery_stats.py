"""How the deliveries of an edition stand, counted by SQL: as quick for a million as for ten.

Figures for monitors: counts that are quick to make while an edition is on its way.

Lately: the slots and editions of the last days that may be worth telling the owner about.

Waking: when an edition that is under way next wants to be looked at.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition, EditionState
from digest.storage import deliveries, editions
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """So many deliveries of a newsletter's editions that are not finished are in this state."""

    newsletter: str
    state: DeliveryState
    n: int


# Deliveries of an edition are one run of ids.
_QUEUES = """
select e.newsletter, d.state, count(*) as n
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.state <> 'sent'
group by 1, 2
order by 1, 2
"""


def queues(db: Database) -> tuple[QueueCount, ...]:
    """The deliveries of every edition that somebody does not surely have."""
    return tuple(
        QueueCount(newsletter=row["newsletter"], state=DeliveryState(row["state"]), n=row["n"])
        for row in db.rows(_QUEUES)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSummary:
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


def editions_since(db: Database, newsletter: str, since: datetime) -> tuple[EditionSummary, ...]:
    """The editions that were prepared or finished since then, in order."""
    return tuple(
        EditionSummary(
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


# By their index.
_HOURS = """
select count(*) as n, min(due_at) as at from deliveries
where edition_id = :edition and state = 'queued' and due_at > :now
"""

_NEXT_TRY = """
select count(*) as n, min(d.next_attempt_at) as at
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = :edition and d.state = 'deferred'
"""

_LATELY = """
select count(*) as n, min(d.finished_at) as at
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = :edition and d.finished_at >= :lately
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCounts:
    """The deliveries of an edition by state, and when it goes on.

    `with_an_hour` of the queued ones wait for their reader's hour, the first of them for
    `next_delivery_at`; of the deferred ones, the first is tried again at `next_try`. While somebody is
    sending, `lately` had their outcome since the instant that was asked about, the first of them at
    `lately_from`.
    """

    counts: Mapping[DeliveryState, int]
    with_an_hour: int = 0
    next_hour: datetime | None = None
    next_try: datetime | None = None
    lately: int = 0
    lately_from: datetime | None = None


def delivery_counts(
    db: Database, edition_id: int, *, now: datetime, lately: datetime
) -> DeliveryCounts:
    """Count the deliveries of an edition as they stand at `now`; a state without any counts 0."""
    counts = deliveries.counts(db, edition_id)
    values = {"edition": edition_id, "now": to_text(now), "lately": to_text(lately)}
    with_an_hour, next_hour = _asked(db, _HOURS, values, counts[DeliveryState.QUEUED])
    finished, finished_from = _asked(db, _LATELY, values, counts[DeliveryState.SENDING])
    _, next_try = _asked(db, _NEXT_TRY, values, counts[DeliveryState.DEFERRED])
    return DeliveryCounts(
        counts=counts,
        with_an_hour=with_an_hour,
        next_hour=next_hour,
        next_try=next_try,
        lately=finished,
        lately_from=finished_from,
    )


def _asked(
    db: Database, sql: str, values: Mapping[str, object], concerned: int
) -> tuple[int, datetime | None]:
    """A count and the first time among them; not asked for where nobody is concerned."""
    row = db.row(sql, values) if concerned else None
    return (row["n"], from_text(row["at"]) if row["at"] else None) if row else (0, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedReason:
    """Why so many readers do not surely have the edition."""

    state: DeliveryState
    reply: str
    readers: int


_REASONS = """
select d.state, ifnull(d.reply, '') as reply, count(*) as n, count(*) over () as reasons
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = :edition and d.state <> 'sent'
group by 1, 2
order by n desc, 1, 2
limit :most
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedReasons:
    """The most frequent reasons, and how many different ones there are."""

    first: tuple[UnfinishedReason, ...] = ()
    different: int = 0


def unfinished_reasons(db: Database, edition_id: int, *, most: int) -> UnfinishedReasons:
    """Why readers do not surely have the edition: the reasons of most of them first."""
    rows = db.rows(_REASONS, {"edition": edition_id, "most": most})
    return UnfinishedReasons(
        first=tuple(
            UnfinishedReason(
                state=DeliveryState(row["state"]), reply=row["reply"], readers=row["n"]
            )
            for row in rows
        ),
        different=rows[0]["reasons"] if rows else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedDelivery:
    """A reader who does not surely have the edition, why, and when it is gone on with."""

    email: str
    state: DeliveryState
    reply: str
    next_at: datetime | None = None


# Those that want somebody's eyes first. Only the ones that are listed are looked up.
_UNFINISHED = """
with listed as materialized (
    select d.id, d.subscriber_id, d.state, d.reply,
           case d.state when 'queued' then d.due_at
                        when 'deferred' then d.next_attempt_at end as next_at,
           case d.state when 'unknown' then 1 when 'rejected' then 2 when 'deferred' then 3
                        when 'sending' then 4 when 'queued' then 5 else 6 end as rank
    from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
    where e.id = :edition and d.state <> 'sent'
    order by rank, d.id
    limit :most
)
select s.email, l.state, ifnull(l.reply, '') as reply, l.next_at
from listed l join subscribers s on s.id = l.subscriber_id
order by l.rank, l.id
"""


def unfinished(db: Database, edition_id: int, *, most: int = -1) -> tuple[UnfinishedDelivery, ...]:
    """Who does not surely have the edition: the first `most` of them, all if that is negative."""
    return tuple(
        UnfinishedDelivery(
            email=row["email"],
            state=DeliveryState(row["state"]),
            reply=row["reply"],
            next_at=from_text(row["next_at"]) if row["next_at"] else None,
        )
        for row in db.rows(_UNFINISHED, {"edition": edition_id, "most": most})
    )


_AWAKE = """
select number from editions
where newsletter = :newsletter and state = 'prepared' and stopped_at is null
  and (wake_at is null or wake_at <= :now)
order by number
"""


def editions_to_look_at(db: Database, newsletter: str, now: datetime) -> tuple[Edition, ...]:
    """The editions under way that want to be looked at, the oldest first; no stopped ones."""
    rows = db.rows(_AWAKE, {"newsletter": newsletter, "now": to_text(now)})
    found = (editions.find(db, newsletter, row["number"]) for row in rows)
    return tuple(edition for edition in found if edition is not None)


_SLEEP = "update editions set wake_at = :until where id = :edition"


def snooze_edition(db: Database, edition_id: int, until: datetime | None) -> None:
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


def next_delivery_at(db: Database, edition_id: int) -> datetime | None:
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


def has_due(db: Database, edition_id: int, now: datetime) -> bool:
    """Whether somebody waits for us at `now`, and not for their hour or their own server."""
    return db.row(_ANY_DUE, {"edition": edition_id, "now": to_text(now)}) is not None


_ANY_AWAKE = f"""
select 1 {_OPEN} and d.state = 'queued' and (d.due_at is null or d.due_at <= :now)
  and coalesce((select timezone from subscribers where id = d.subscriber_id), '')
      not in (select value from json_each(:resting))
limit 1
"""  # noqa: S608 (a constant)


def has_due_outside(db: Database, edition_id: int, now: datetime, resting: Sequence[str]) -> bool:
    """Whether somebody is due who lives in none of these zones."""
    values = {"edition": edition_id, "now": to_text(now), "resting": json.dumps(list(resting))}
    return db.row(_ANY_AWAKE, values) is not None


_LATER = f"select count(*) {_OPEN} and d.state = 'queued' and d.due_at > :now"


def count_not_yet_due(db: Database, edition_id: int, now: datetime) -> int:
    """How many deliveries wait for their own hour."""
    row = db.row(_LATER, {"edition": edition_id, "now": to_text(now)})
    return int(row[0]) if row else 0


_UNDER_WAY = """
select number, stopped_at is not null as stopped, id from editions
where newsletter = ? and state = 'prepared' order by number
"""


def blocking_edition(db: Database, newsletter: str, now: datetime) -> str | None:
    """Why the next edition has to wait: an earlier one that is stopped, or not yet with all."""
    for row in db.rows(_UNDER_WAY, (newsletter,)):
        if row["stopped"]:
            return f"No. {row['number']} is stopped; `digest resume` goes on with it"
        if has_due(db, row["id"], now):
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
