"""Batches: deliveries claimed together, before the first of their messages leaves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import Delivery
from digest.model.subscriber import Recipient
from digest.storage.database import Database
from digest.storage.revocations import objection

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
        _WITHHOLD, ((objection(standing), to_text(now), id_) for id_, standing in withheld)
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
