"""Audit: questions to the ledger whose answers must be empty."""

from dataclasses import dataclass
from typing import Final

from digest.storage import integrity, schedule_rules
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something in the ledger that cannot be: a rule, and the ids that break it."""

    rule: str
    ids: tuple[str, ...]


_RULES = integrity.RULES + schedule_rules.RULES

#: So many ids of what breaks a rule are told.
MOST: Final = 20


def breaches(db: Database, *, most: int = MOST) -> tuple[Breach, ...]:
    """Every rule that is broken, with the first `most` ids of each."""
    found = []
    for rule, sql in _RULES:
        ids = tuple(str(row[0]) for row in db.rows(sql, {"most": most}))
        if ids:
            found.append(Breach(rule=rule, ids=ids))
    dangling = db.rows("pragma foreign_key_check")
    if dangling:
        ids = tuple(f"{row[0]} row {row[1]}" for row in dangling[:most])
        found.append(Breach(rule="nothing refers to what is not there", ids=ids))
    return tuple(found)


_FACTS = """
select (select count(*) from editions), (select count(*) from deliveries),
       (select count(*) from decisions), (select count(*) from slots),
       (select count(*) from deliveries where state = 'sending')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much was looked at. `claimed` deliveries are being sent, or were when a process died."""

    editions: int
    deliveries: int
    decisions: int
    slots: int
    claimed: int


def extent(db: Database) -> Extent:
    """How much there is to look at."""
    editions, deliveries, decisions, slots, claimed = db.connection.execute(_FACTS).fetchone()
    return Extent(
        editions=editions,
        deliveries=deliveries,
        decisions=decisions,
        slots=slots,
        claimed=claimed,
    )
