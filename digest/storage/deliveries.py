"""Batches: deliveries claimed together, before the first of their messages leaves.

The deliveries of an edition, all together: counted, queued again, and the Unknown decided on.

Outcomes: what attempts came to, recorded in batches.

Recovery: what a process that is no more had claimed is settled by the journal's evidence.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import Delivery, DeliveryState
from digest.model.subscriber import Recipient
from digest.storage.database import Database
from digest.storage.revocations import revocation_reason
from digest.storage.send_journal import Evidence

# Deliveries of one edition are one run of ids, so a walk along the ids needs no index.
# They come in one row: a step for each would hold up the event loop's thread each time.
_QUEUED = """
select json_group_array(json_array(
           id, objection, variant, attempts, first_attempt_at, email, name, token, fields))
from (
select d.id, d.variant, d.attempts, d.first_attempt_at, s.email, s.name, s.fields, n.token,
       case when x.hash is not null then 'suppressed'
            when n.state is null then 'unsubscribed'
            when n.state <> 'active' then n.state end as objection
from editions e
join deliveries d on d.id between max(:after + 1, e.first_delivery_id) and e.last_delivery_id
join subscribers s on s.id = d.subscriber_id
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = e.newsletter
left join suppressions x on x.email = s.email
where e.id = :edition and e.stopped_at is null and d.state = 'queued'
  and (d.attempts = 0) = :untried and (d.due_at is null or d.due_at <= :now)
  and (:resting = '[]'
       or coalesce(s.timezone, '') not in (select value from json_each(:resting)))
order by d.id
limit :most
)
"""

# What is still queued and due in this range, after the objected ones are withheld, was read.
_CLAIM = """
update deliveries set state = 'sending', attempts = attempts + 1
where id between :first and :last and state = 'queued'
  and (attempts = 0) = :untried and (due_at is null or due_at <= :now)
  and (:resting = '[]' or coalesce((select timezone from subscribers where id = subscriber_id), '')
                          not in (select value from json_each(:resting)))
"""

_WITHHOLD = "update deliveries set state = 'withheld', reply = ?, finished_at = ? where id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Deliveries that are ours to attempt; `withheld` counts those passed over on the way.

    `last_id` is where the next batch goes on; None when there is nothing behind it.
    """

    deliveries: tuple[Delivery, ...]
    withheld: int
    last_id: int | None


def claim(
    db: Database,
    edition_id: int,
    now: datetime,
    *,
    after: int,
    most: int,
    untried: bool,
    resting: Sequence[str] = (),
) -> Batch:
    """Claim up to `most` queued deliveries with ids above `after`, in the caller's transaction.

    Only those that are `untried`, or only the others; only of readers whose hour has come, and who
    live in none of the zones that are `resting`, with "" for those who gave no zone.
    Whoever left, was suppressed or paused since the edition was prepared is recorded as withheld.
    """
    bounds = {"now": to_text(now), "untried": untried, "resting": json.dumps(list(resting))}
    found = db.row(_QUEUED, bounds | {"edition": edition_id, "after": after, "most": most})
    rows = json.loads(found[0]) if found else []
    withheld = [(id_, standing) for id_, standing, *_ in rows if standing]
    claimed = [_delivery(id_, *facts) for id_, standing, *facts in rows if not standing]
    db.connection.executemany(
        _WITHHOLD, ((revocation_reason(standing), to_text(now), id_) for id_, standing in withheld)
    )
    if claimed:
        db.execute(_CLAIM, bounds | {"first": claimed[0].id, "last": claimed[-1].id})
    return Batch(
        deliveries=tuple(claimed),
        withheld=len(withheld),
        last_id=rows[-1][0] if len(rows) == most else None,
    )


def _delivery(
    id_: int,
    variant: str,
    attempts: int,
    began: str | None,
    email: str,
    name: str,
    token: str,
    fields: str,
) -> Delivery:
    return Delivery(
        id=id_,
        variant=variant,
        recipient=Recipient(
            email=email,
            name=name,
            token=token,
            fields={} if fields == "{}" else json.loads(fields),
        ),
        attempts=attempts + 1,
        first_attempt_at=from_text(began) if began else None,
    )


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


# One statement for all of a second: a statement for each holds up the event loop's thread twice.
_SENT = """
update deliveries set state = 'sent', reply = reply_to.value, finished_at = ?
from json_each(?) as reply_to
where deliveries.id = cast(reply_to.key as integer) and state = 'sending'
"""

_RECORD = """
update deliveries set state = ?, reply = ?, finished_at = ?, first_attempt_at = coalesce(
    first_attempt_at, ?), next_attempt_at = ?
where id = ? and state = 'sending'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What is written down of one attempt. `next_attempt_at` belongs to a deferred one."""

    delivery_id: int
    state: DeliveryState
    reply: str
    at: datetime
    next_attempt_at: datetime | None = None


def record(db: Database, settled: Iterable[AttemptResult]) -> None:
    """Write down what attempts came to; only what is claimed changes."""
    settled = list(settled)
    sent: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for one in settled:
        if one.state is DeliveryState.SENT:
            sent[int(one.at.timestamp())][one.delivery_id] = one.reply
    for second, replies in sent.items():
        db.execute(_SENT, [to_text(datetime.fromtimestamp(second, UTC)), json.dumps(replies)])
    db.connection.executemany(
        _RECORD, (_settled_row(one) for one in settled if one.state is not DeliveryState.SENT)
    )


def _settled_row(one: AttemptResult) -> tuple[object, ...]:
    at = to_text(one.at)
    deferred = one.state is DeliveryState.DEFERRED
    again = to_text(one.next_attempt_at) if one.next_attempt_at else None
    finished = None if deferred else at
    started = at if deferred else None
    return one.state, one.reply or None, finished, started, again, one.delivery_id


_UNDELIVERED = """
select d.id, d.state, coalesce(d.reply, '') as reply, d.finished_at
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where e.id = :edition and d.state in ('rejected', 'unknown') and d.finished_at >= :since
order by d.id
limit :most
"""


def undelivered(
    db: Database, edition_id: int, *, since: datetime, most: int
) -> tuple[AttemptResult, ...]:
    """The first deliveries of an edition that were rejected, or are in doubt, since then."""
    values = {"edition": edition_id, "since": to_text(since), "most": most}
    return tuple(
        AttemptResult(
            delivery_id=row["id"],
            state=DeliveryState(row["state"]),
            reply=row["reply"],
            at=from_text(row["finished_at"]),
        )
        for row in db.rows(_UNDELIVERED, values)
    )


_RELEASE = """
update deliveries set state = 'queued', reply = ?, attempts = attempts - 1
where id = ? and state = 'sending'
"""


def release(db: Database, unsent: Iterable[tuple[int, str]]) -> None:
    """Queue again what was claimed and surely not sent; an id may have a reason with it."""
    db.connection.executemany(_RELEASE, ((reason or None, id_) for id_, reason in unsent))


_SENDING = "select id from deliveries where state = 'sending'"

_INTERRUPTED = "the program stopped between handing over the message and hearing the answer"
_POWER_CUT = "the machine stopped while the message may have been on its way"


def recover(db: Database, evidence: Evidence, now: datetime) -> None:
    """Settle what a process that is no more has left claimed, in any edition.

    The caller holds the sender's lock: nobody else can be sending. Afterwards nothing is claimed,
    and the journal that gave this evidence may be started over.
    """
    with db.transaction():
        claimed = [row["id"] for row in db.rows(_SENDING)]
        known = {id_: _known(id_, evidence, now) for id_ in claimed}
        record(db, (settled for settled in known.values() if settled))
        release(db, ((id_, "") for id_, settled in known.items() if settled is None))


def _known(delivery_id: int, evidence: Evidence, now: datetime) -> AttemptResult | None:
    """What became of a delivery that was claimed; None if it was surely not sent."""
    if delivery_id in evidence.ended:
        state, reply = evidence.ended[delivery_id]
        again = now if state is DeliveryState.DEFERRED else None
    elif delivery_id in evidence.begun:
        state, reply, again = DeliveryState.UNKNOWN, _INTERRUPTED, None
    elif not evidence.whole:
        state, reply, again = DeliveryState.UNKNOWN, _POWER_CUT, None
    else:
        return None
    return AttemptResult(
        delivery_id=delivery_id, state=state, reply=reply, at=now, next_attempt_at=again
    )
