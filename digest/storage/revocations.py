"""Objections: what keeps a message from leaving although its delivery was claimed."""

import sqlite3
from collections.abc import Mapping, Sequence

from digest.storage.database import Database


def revocation_reason(standing: str) -> str:
    """Why a reader with this standing is passed over, as a sentence."""
    return f"{standing} after the edition was prepared"


_OBJECTIONS = "select n from objections"

_CLAIMED_AND_OBJECTED = """
select d.id, case when e.stopped_at is not null then ''
                  when x.hash is not null then 'suppressed'
                  else coalesce(n.state, 'unsubscribed') end as objection
from deliveries d
join editions e on e.id = d.edition_id
join subscribers s on s.id = d.subscriber_id
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = e.newsletter
left join suppressions x on x.email = s.email
where d.state = 'sending'
  and (e.stopped_at is not null or x.hash is not null or n.state is not 'active')
"""


class Revocations:
    """What keeps claimed messages from leaving, as it was at the last `look`.

    A look is taken before final dots, so it is cheap: SQLite's data_version tells whether anybody
    else has written at all, one number whether it concerns us; only then the claimed ones are
    looked at. Its connection must be one that itself writes nothing.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._version = -1
        self._n = -1
        self._found: Mapping[int, str] = {}

    def look(self) -> None:
        """See what there is at this moment."""
        if self._changed():
            rows: Sequence[sqlite3.Row] = self._db.rows(_CLAIMED_AND_OBJECTED)
            self._found = {row["id"]: row["objection"] for row in rows}

    def to(self, delivery_id: int) -> str | None:
        """Why this delivery may not leave; empty if the edition was stopped; None if it may."""
        return self._found.get(delivery_id)

    def _changed(self) -> bool:
        version = self._db.connection.execute("pragma data_version").fetchone()[0]
        if version == self._version:
            return False
        self._version = version
        n = self._db.connection.execute(_OBJECTIONS).fetchone()[0]
        if n == self._n:
            return False
        self._n = n
        return True
