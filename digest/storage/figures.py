"""Figures for monitors: counts that are quick to make while an edition is on its way."""

from dataclasses import dataclass

from digest.model.delivery import DeliveryState
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
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


def queues(db: Database) -> tuple[Queue, ...]:
    """The deliveries of every edition that somebody does not surely have."""
    return tuple(
        Queue(newsletter=row["newsletter"], state=DeliveryState(row["state"]), n=row["n"])
        for row in db.rows(_QUEUES)
    )
