"""How the deliveries of an edition stand, counted by SQL: as quick for a million as for ten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import DeliveryState
from digest.storage import deliveries
from digest.storage.database import Database

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
class Tally:
    """The deliveries of an edition by state, and when it goes on.

    `with_an_hour` of the queued ones wait for their reader's hour, the first of them for
    `next_hour`; of the deferred ones, the first is tried again at `next_try`. While somebody is
    sending, `lately` had their outcome since the instant that was asked about, the first of them at
    `lately_from`.
    """

    counts: Mapping[DeliveryState, int]
    with_an_hour: int = 0
    next_hour: datetime | None = None
    next_try: datetime | None = None
    lately: int = 0
    lately_from: datetime | None = None


def tally(db: Database, edition_id: int, *, now: datetime, lately: datetime) -> Tally:
    """Count the deliveries of an edition as they stand at `now`; a state without any counts 0."""
    counts = deliveries.counts(db, edition_id)
    values = {"edition": edition_id, "now": to_text(now), "lately": to_text(lately)}
    with_an_hour, next_hour = _asked(db, _HOURS, values, counts[DeliveryState.QUEUED])
    finished, finished_from = _asked(db, _LATELY, values, counts[DeliveryState.SENDING])
    _, next_try = _asked(db, _NEXT_TRY, values, counts[DeliveryState.DEFERRED])
    return Tally(
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
class Reason:
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
class Reasons:
    """The most frequent reasons, and how many different ones there are."""

    first: tuple[Reason, ...] = ()
    different: int = 0


def reasons(db: Database, edition_id: int, *, most: int) -> Reasons:
    """Why readers do not surely have the edition: the reasons of most of them first."""
    rows = db.rows(_REASONS, {"edition": edition_id, "most": most})
    return Reasons(
        first=tuple(
            Reason(state=DeliveryState(row["state"]), reply=row["reply"], readers=row["n"])
            for row in rows
        ),
        different=rows[0]["reasons"] if rows else 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
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


def unfinished(db: Database, edition_id: int, *, most: int = -1) -> tuple[Unfinished, ...]:
    """Who does not surely have the edition: the first `most` of them, all if that is negative."""
    return tuple(
        Unfinished(
            email=row["email"],
            state=DeliveryState(row["state"]),
            reply=row["reply"],
            next_at=from_text(row["next_at"]) if row["next_at"] else None,
        )
        for row in db.rows(_UNFINISHED, {"edition": edition_id, "most": most})
    )
