"""Outcomes: what attempts came to, recorded in batches."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import DeliveryState
from digest.storage.database import Database

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
class Settled:
    """What is written down of one attempt. `next_attempt_at` belongs to a deferred one."""

    delivery_id: int
    state: DeliveryState
    reply: str
    at: datetime
    next_attempt_at: datetime | None = None


def record(db: Database, settled: Iterable[Settled]) -> None:
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


def _settled_row(one: Settled) -> tuple[object, ...]:
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
) -> tuple[Settled, ...]:
    """The first deliveries of an edition that were rejected, or are in doubt, since then."""
    values = {"edition": edition_id, "since": to_text(since), "most": most}
    return tuple(
        Settled(
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
