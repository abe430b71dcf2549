"""Receipts of consent. They are added, and never changed or taken away (triggers see to it)."""

from collections.abc import Iterable
from functools import cache

from digest.lib.timestamps import from_text, to_text
from digest.model.subscriber import Action, Consent
from digest.storage.database import Database

_RECORD = """
insert into consents (subscriber_id, newsletter, action, wording, origin, at)
values (?, ?, ?, ?, ?, ?)
"""


def record(db: Database, receipts: Iterable[Consent]) -> None:
    """Add receipts, inside the transaction that makes the change they are for."""
    moment = cache(to_text)
    db.connection.executemany(
        _RECORD,
        (
            (
                receipt.subscriber_id,
                receipt.newsletter,
                receipt.action.value,
                receipt.wording,
                receipt.origin,
                moment(receipt.at),
            )
            for receipt in receipts
        ),
    )


_OF = """
select subscriber_id, newsletter, action, wording, origin, at
from consents
where subscriber_id = ?
order by id
"""


def of(db: Database, subscriber_id: int) -> tuple[Consent, ...]:
    """Every receipt of a person, the oldest first."""
    return tuple(
        Consent(
            subscriber_id=row["subscriber_id"],
            newsletter=row["newsletter"],
            action=Action(row["action"]),
            wording=row["wording"],
            origin=row["origin"],
            at=from_text(row["at"]),
        )
        for row in db.rows(_OF, (subscriber_id,))
    )
