"""Audit: proof, from the database alone, that nothing is unaccounted for."""

from dataclasses import dataclass

from digest.config import Settings
from digest.storage import integrity as questions
from digest.storage.database import Access, open_database
from digest.storage.integrity import Breach, Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was looked at, and every rule that is broken."""

    extent: Extent
    breaches: tuple[Breach, ...]


def audit(settings: Settings) -> Audit:
    """Ask the ledger every question that must have an empty answer."""
    with open_database(settings.database, Access.READ) as db:
        return Audit(extent=questions.extent(db), breaches=questions.breaches(db))
