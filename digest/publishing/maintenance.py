"""Pruning: after the time of `retention`, who got an edition is forgotten, and how many is kept.

Audit: proof, from the database alone, that nothing is unaccounted for.

Ingesting: read sources, and keep their articles in the newsletter's database.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.config import Settings, SourceSettings
from digest.ingest.sources import SourceReport, gather
from digest.storage import integrity as questions
from digest.storage import retention, sources
from digest.storage.database import Access, open_database
from digest.storage.integrity import Extent, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What was looked at, and every rule that is broken."""

    extent: Extent
    breaches: tuple[Violation, ...]


def audit(settings: Settings) -> AuditReport:
    """Ask the ledger every question that must have an empty answer."""
    with open_database(settings.database, Access.READ) as db:
        return AuditReport(extent=questions.extent(db), breaches=questions.violations(db))


def ingest(
    settings: Settings, read_from: Sequence[SourceSettings], *, now: datetime
) -> tuple[SourceReport, ...]:
    """Read the sources and keep their articles; the reports stand in the order of the sources.

    One that cannot be read does not stop the others. The calling thread must not run an event
    loop. Raises StorageErrors.
    """
    with open_database(settings.database) as db:
        return gather(db, read_from, now=now, site_url=settings.site.url)


def stale_sources(
    settings: Settings, age: timedelta, *, now: datetime
) -> tuple[SourceSettings, ...]:
    """The configured sources that were not read for so long, or never. Raises StorageErrors."""
    with open_database(settings.database, Access.READ) as db:
        read = {one.name: one.last_read_at for one in sources.everything(db)}
    return tuple(
        source
        for source in settings.sources
        if (last := read.get(source.name)) is None or not now - age < last <= now
    )


#: Seconds between two batches. Without them nobody who waits for the write lock would get it.
REST: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """How many editions have only totals now, and how many deliveries went into totals."""

    editions: int = 0
    deliveries: int = 0


def prune(
    settings: Settings, *, now: datetime, batch: int = retention.BATCH, rest: float = REST
) -> PruneResult:
    """Prune the editions that were finished `retention` ago; nothing without one.

    It may run beside everything else, and be killed: what is left is done by the next call. An
    Unknown delivery stays until the owner decides on it, and with it what is needed to send it
    again. Stories, decisions and editions stay for good: no article comes twice. Raises
    StorageError.
    """
    if settings.retention is None:
        return PruneResult()
    editions = deliveries = 0
    with open_database(settings.database, create=False) as db:
        for edition_id in retention.finished(db, now - settings.retention):
            while some := retention.prune_some(db, edition_id, most=batch):
                deliveries += some
                time.sleep(rest)
            editions += retention.close(db, edition_id, now)
    return PruneResult(editions=editions, deliveries=deliveries)
