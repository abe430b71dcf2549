"""Deliveries: claimed when a message is about to leave, recorded when its outcome is known."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.errors import LedgerError
from digest.model.delivery import Delivery, DeliveryState
from digest.model.instant import to_text
from digest.model.subscriber import Recipient
from digest.storage.connection import Database

_NEXT = """
select d.id, d.variant, s.email, s.name, s.fields,
       coalesce(n.state, 'unsubscribed') as subscription, coalesce(n.token, '') as token,
       exists (select 1 from suppressions x where x.email = s.email) as suppressed
from deliveries d
join editions e on e.id = d.edition_id
join subscribers s on s.id = d.subscriber_id
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = e.newsletter
where d.edition_id = :edition and d.state = 'queued' and d.id > :after
order by d.id
limit 1
"""


def next_queued(db: Database, edition_id: int, now: datetime, *, after: int) -> Delivery | None:
    """The first queued delivery whose id is larger than `after`; None when there is none.

    Whoever left, was suppressed or paused since the edition was prepared is passed over here and
    recorded as withheld.
    """
    while row := db.row(_NEXT, {"edition": edition_id, "after": after}):
        obstacle = _obstacle(row)
        if obstacle is None:
            return Delivery(
                id=row["id"],
                variant=row["variant"],
                recipient=Recipient(
                    email=row["email"],
                    name=row["name"],
                    token=row["token"],
                    fields=json.loads(row["fields"]),
                ),
            )
        record(db, row["id"], DeliveryState.WITHHELD, obstacle, now)
    return None


def _obstacle(row: sqlite3.Row) -> str | None:
    if row["suppressed"]:
        return "suppressed after the edition was prepared"
    if row["subscription"] != "active":
        return f"{row['subscription']} after the edition was prepared"
    return None


_CLAIM = """
update deliveries set state = 'sending', attempts = attempts + 1
where id = :id and state = 'queued'
"""


def claim(db: Database, delivery_id: int) -> None:
    """Write down, durably, that the message is about to leave: the next step cannot be undone.

    If the program dies between this and `record`, the delivery is Unknown. Raises LedgerError if
    the delivery is not queued: then it must not leave.
    """
    if db.execute(_CLAIM, {"id": delivery_id}).rowcount != 1:
        raise LedgerError(f"delivery {delivery_id} is not queued any more")


_RECORD = """
update deliveries set state = :state, reply = :reply, finished_at = :now where id = :id
"""


def record(db: Database, delivery_id: int, state: DeliveryState, reply: str, now: datetime) -> None:
    """Write down what one attempt came to; `reply` is what the server said, or what happened."""
    finished = None if state in (DeliveryState.QUEUED, DeliveryState.DEFERRED) else to_text(now)
    db.execute(
        _RECORD, {"id": delivery_id, "state": state, "reply": reply or None, "now": finished}
    )


_ABANDONED = """
update deliveries
set state = 'unknown', finished_at = :now,
    reply = 'the program stopped between handing over the message and hearing the answer'
where edition_id = :edition and state = 'sending'
"""

_REQUEUE = (
    "update deliveries set state = 'queued' where edition_id = :edition and state = 'deferred'"
)


def take_up(db: Database, edition_id: int, now: datetime) -> None:
    """Make an edition ready to go on after an interruption.

    What was claimed by a process that is no more is Unknown; what was deferred is queued again.
    The caller holds the sender's lock: nobody else can be sending.
    """
    with db.transaction():
        db.execute(_ABANDONED, {"edition": edition_id, "now": to_text(now)})
        db.execute(_REQUEUE, {"edition": edition_id})


_COUNTS = "select state, count(*) as n from deliveries where edition_id = ? group by state"


def counts(db: Database, edition_id: int) -> Mapping[DeliveryState, int]:
    """How many deliveries of an edition are in each state; a state without any counts 0."""
    found: Counter[DeliveryState] = Counter(dict.fromkeys(DeliveryState, 0))
    for row in db.rows(_COUNTS, (edition_id,)):
        found[DeliveryState(row["state"])] = row["n"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A reader who does not surely have the edition, and why."""

    email: str
    state: DeliveryState
    reply: str


_UNFINISHED = """
select s.email, d.state, coalesce(d.reply, '') as reply
from deliveries d join subscribers s on s.id = d.subscriber_id
where d.edition_id = ? and d.state <> 'sent'
order by d.state, s.email
"""


def unfinished(db: Database, edition_id: int) -> tuple[Unfinished, ...]:
    """Everybody on this edition's list who does not surely have it."""
    return tuple(
        Unfinished(email=row["email"], state=DeliveryState(row["state"]), reply=row["reply"])
        for row in db.rows(_UNFINISHED, (edition_id,))
    )
