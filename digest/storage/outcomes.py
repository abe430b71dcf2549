"""Outcomes: what attempts came to, recorded in batches."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from digest.model.delivery import DeliveryState
from digest.model.instant import to_text
from digest.storage.connection import Database

# One statement for all: a statement for each holds up the event loop's thread twice.
_SENT = """
update deliveries set state = 'sent', reply = one.value ->> 1, finished_at = one.value ->> 2
from json_each(?) as one
where deliveries.id = one.value ->> 0 and state = 'sending'
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
    sent = [
        (one.delivery_id, one.reply, to_text(one.at))
        for one in settled
        if one.state is DeliveryState.SENT
    ]
    db.execute(_SENT, [json.dumps(sent)])
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


_RELEASE = """
update deliveries set state = 'queued', reply = ?, attempts = attempts - 1
where id = ? and state = 'sending'
"""


def release(db: Database, unsent: Iterable[tuple[int, str]]) -> None:
    """Queue again what was claimed and surely not sent; an id may have a reason with it."""
    db.connection.executemany(_RELEASE, ((reason or None, id_) for id_, reason in unsent))
