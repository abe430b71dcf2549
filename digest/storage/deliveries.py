"""Deliveries: claimed in batches, recorded in batches, and recovered after a crash.

The deliveries of an edition are one run of ids. `digest.storage.send_journal` is the evidence for
what a process that died had claimed.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from digest.lib.timestamps import optional_text, optional_time, to_text
from digest.model.delivery import UNDELIVERED, Delivery, DeliveryState
from digest.model.subscriber import Recipient
from digest.storage.database import Database
from digest.storage.revocations import revocation_reason
from digest.storage.rows import sql_list
from digest.storage.send_journal import Evidence

# The walk along the ids needs no index. The rows come as one: a step for each would hold up the
# event loop's thread each time.
_QUEUED = """
select json_group_array(json_array(
           id, revocation, variant, attempts, first_attempt_at, email, name, token, fields))
from (
select d.id, d.variant, d.attempts, d.first_attempt_at, s.email, s.name, s.fields, n.token,
       case when x.hash is not null then 'suppressed'
            when n.state is null then 'unsubscribed'
            when n.state <> 'active' then n.state end as revocation
from editions e
join deliveries d on d.id between max(:after + 1, e.first_delivery_id) and e.last_delivery_id
join subscribers s on s.id = d.subscriber_id
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = e.newsletter
left join suppressions x on x.email = s.email
where e.id = :edition and e.stopped_at is null and d.state = 'queued'
  and (d.attempts = 0) = :untried and (d.due_at is null or d.due_at <= :now)
  and (:quiet_zones = '[]'
       or coalesce(s.timezone, '') not in (select value from json_each(:quiet_zones)))
order by d.id
limit :most
)
"""

# What is still queued and due in this range, after the revoked ones are withheld, was read.
_CLAIM = """
update deliveries set state = 'sending', attempts = attempts + 1
where id between :first and :last and state = 'queued'
  and (attempts = 0) = :untried and (due_at is null or due_at <= :now)
  and (:quiet_zones = '[]'
       or coalesce((select timezone from subscribers where id = subscriber_id), '')
          not in (select value from json_each(:quiet_zones)))
"""

_WITHHOLD = "update deliveries set state = 'withheld', reply = ?, finished_at = ? where id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Deliveries that this process has claimed.

    The next batch continues after `last_id`; None where nothing follows.
    """

    deliveries: tuple[Delivery, ...]
    last_id: int | None


def claim(
    db: Database,
    edition_id: int,
    now: datetime,
    *,
    after: int,
    most: int,
    untried: bool,
    quiet_zones: Sequence[str] = (),
) -> Batch:
    """Claim up to `most` queued deliveries with ids above `after`, in the caller's transaction.

    Only those that are `untried`, or only the others; only of readers whose hour has come, and who
    live in none of the `quiet_zones`, with "" for those who gave no zone.
    Whoever left, was suppressed or paused since the edition was prepared is recorded as withheld.
    """
    bounds = {"now": to_text(now), "untried": untried, "quiet_zones": json.dumps(list(quiet_zones))}
    queued = db.row(_QUEUED, bounds | {"edition": edition_id, "after": after, "most": most})
    rows = json.loads(queued[0]) if queued else []
    withheld = [(id_, revoked) for id_, revoked, *_ in rows if revoked]
    claimed = [_delivery(row) for row in rows if not row[1]]
    db.connection.executemany(
        _WITHHOLD, ((revocation_reason(revoked), to_text(now), id_) for id_, revoked in withheld)
    )
    if claimed:
        db.execute(_CLAIM, bounds | {"first": claimed[0].id, "last": claimed[-1].id})
    return Batch(
        deliveries=tuple(claimed),
        last_id=rows[-1][0] if len(rows) == most else None,
    )


def _delivery(row: Sequence[Any]) -> Delivery:
    id_, _, variant, attempts, first_attempt_at, email, name, token, fields = row
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
        first_attempt_at=optional_time(first_attempt_at),
    )


_OF_EDITION = """
where id between (select first_delivery_id from editions where id = :edition)
             and (select last_delivery_id from editions where id = :edition)
"""

_REQUEUE = f"""
update deliveries set state = 'queued' {_OF_EDITION}
  and state = 'deferred' and (:all or next_attempt_at <= :now)
"""  # noqa: S608 (a constant)


def requeue(db: Database, edition_id: int, now: datetime, *, before_their_hour: bool) -> None:
    """Queue what was deferred and may be tried again at `now`, or all of it."""
    db.execute(_REQUEUE, {"edition": edition_id, "now": to_text(now), "all": before_their_hour})


_DECIDE_UNKNOWN = f"""
update deliveries set state = :state, finished_at = :now,
    reply = coalesce(reply, '') || :note {_OF_EDITION}
  and state = 'unknown'
"""  # noqa: S608 (a constant)


def resend_unknown(db: Database, edition_id: int) -> None:
    """Queue the Unknown again, as the owner decided: some readers may get the edition twice."""
    values = {"edition": edition_id, "state": DeliveryState.QUEUED, "now": None, "note": ""}
    db.execute(_DECIDE_UNKNOWN, values)


def drop_unknown(db: Database, edition_id: int, now: datetime) -> None:
    """Send the Unknown no more, as the owner decided: some readers may not have the edition."""
    note = " (not sent again, as the owner decided)"
    values = {"edition": edition_id, "state": DeliveryState.WITHHELD, "note": note}
    db.execute(_DECIDE_UNKNOWN, values | {"now": to_text(now)})


# Sums, because grouping would sort a row for each reader.
_SUMS = ", ".join(f"ifnull(sum(state = '{state}'), 0) as {state}" for state in DeliveryState)
_COUNTS = f"select {_SUMS} from edition_deliveries where edition_id = ?"  # noqa: S608 (a constant)

# Of pruned deliveries the totals are left.
_TOTALS = "select state, n from delivery_totals where edition_id = ?"


def counts(db: Database, edition_id: int) -> Mapping[DeliveryState, int]:
    """How many deliveries of an edition are in each state; a state without any counts 0."""
    row = db.row(_COUNTS, (edition_id,))
    counts = Counter({state: row[state] if row else 0 for state in DeliveryState})
    for total in db.rows(_TOTALS, (edition_id,)):
        counts[DeliveryState(total["state"])] += total["n"]
    return counts


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
    """What is recorded of one attempt. `next_attempt_at` belongs to a deferred one."""

    delivery_id: int
    state: DeliveryState
    reply: str
    at: datetime
    next_attempt_at: datetime | None = None


def record(db: Database, results: Iterable[AttemptResult]) -> None:
    """Record the results of attempts; only what is claimed changes."""
    others = []
    sent: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for result in results:
        if result.state is DeliveryState.SENT:
            sent[int(result.at.timestamp())][result.delivery_id] = result.reply
        else:
            others.append(_result_row(result))
    for second, replies in sent.items():
        db.execute(_SENT, [to_text(datetime.fromtimestamp(second, UTC)), json.dumps(replies)])
    db.connection.executemany(_RECORD, others)


def _result_row(result: AttemptResult) -> tuple[object, ...]:
    at = to_text(result.at)
    deferred = result.state is DeliveryState.DEFERRED
    again = optional_text(result.next_attempt_at)
    finished = None if deferred else at
    first_attempt = at if deferred else None
    return result.state, result.reply or None, finished, first_attempt, again, result.delivery_id


_UNDELIVERED = f"""
select id as delivery_id, state, coalesce(reply, '') as reply, finished_at as at
from edition_deliveries
where edition_id = :edition and state in {sql_list(UNDELIVERED)} and finished_at >= :since
order by id
limit :most
"""  # noqa: S608 (a constant)


def undelivered(
    db: Database, edition_id: int, *, since: datetime, most: int
) -> tuple[AttemptResult, ...]:
    """The first deliveries of an edition that were rejected or became Unknown since then."""
    values = {"edition": edition_id, "since": to_text(since), "most": most}
    return db.values(AttemptResult, _UNDELIVERED, values)


_RELEASE = """
update deliveries set state = 'queued', reply = ?, attempts = attempts - 1
where id = ? and state = 'sending'
"""


def release(db: Database, unsent: Iterable[tuple[int, str]]) -> None:
    """Queue again what was claimed and not sent; with each id goes a reason, or ''."""
    db.connection.executemany(_RELEASE, ((reason or None, id_) for id_, reason in unsent))


_SENDING = "select id from deliveries where state = 'sending'"

_INTERRUPTED = "digest stopped after the message was handed over and before the server replied"
_POWER_CUT = "the machine stopped while the message may have been on its way"


def recover(db: Database, evidence: Evidence, now: datetime) -> None:
    """Settle what a process that died has left claimed, in any edition.

    The caller holds the sender's lock: nobody else can be sending. Afterwards nothing is claimed,
    and the journal that gave this evidence may be started over.
    """
    with db.transaction():
        claimed = [row["id"] for row in db.rows(_SENDING)]
        results = {id_: _recovered(id_, evidence, now) for id_ in claimed}
        record(db, (result for result in results.values() if result))
        release(db, ((id_, "") for id_, result in results.items() if result is None))


def _recovered(delivery_id: int, evidence: Evidence, now: datetime) -> AttemptResult | None:
    """The result of an attempt by the journal's evidence; None if the message was not sent."""
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
