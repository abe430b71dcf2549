"""Revocations: what keeps a message from leaving although its delivery was claimed."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """Its reader may not have it any more; `status` is what became of the subscription."""

    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStopped:
    """The editor has stopped the edition."""


Revocation = Revoked | EditionStopped


def revocation_reason(status: str) -> str:
    """Why a reader with this status is passed over, as a sentence."""
    return f"{status} after the edition was prepared"


_COUNTER = "select n from objections"

_CLAIMED_AND_REVOKED = """
select d.id, e.stopped_at is not null as stopped,
       case when x.hash is not null then 'suppressed'
            else coalesce(n.state, 'unsubscribed') end as status
from deliveries d
join editions e on e.id = d.edition_id
join subscribers s on s.id = d.subscriber_id
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = e.newsletter
left join suppressions x on x.email = s.email
where d.state = 'sending'
  and (e.stopped_at is not null or x.hash is not null or n.state is not 'active')
"""


class Revocations:
    """What keeps claimed messages from leaving, as it was at the last `refresh`.

    That is done before final dots, so it is cheap: SQLite's data_version tells whether anybody
    else has written at all, one number whether it concerns us; only then the claimed ones are
    looked at. Its connection must be one that itself writes nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._version = -1
        self._counter = -1
        self._revoked: Mapping[int, Revocation] = {}

    def refresh(self) -> None:
        """See what there is at this moment."""
        if self._changed():
            self._revoked = {
                row["id"]: EditionStopped() if row["stopped"] else Revoked(status=row["status"])
                for row in self._db.rows(_CLAIMED_AND_REVOKED)
            }

    def of(self, delivery_id: int) -> Revocation | None:
        """Why this delivery may not leave; None if it may."""
        return self._revoked.get(delivery_id)

    def _changed(self) -> bool:
        version = self._db.scalar("pragma data_version")
        if version == self._version:
            return False
        self._version = version
        counter = self._db.scalar(_COUNTER)
        if counter == self._counter:
            return False
        self._counter = counter
        return True
