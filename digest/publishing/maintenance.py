"""Maintenance of the database: reading sources into it, pruning old deliveries, and the audit."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.config import Settings, SourceSettings
from digest.ingest.sources import SourceReport, gather
from digest.storage import integrity, retention, sources
from digest.storage.database import Access, open_database
from digest.storage.integrity import Extent, Violation

#: Seconds between two batches. Without them no other process would get the write lock.
REST: Final = 0.05


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
        last_read = {source.name: source.last_read_at for source in sources.records(db)}
    return tuple(
        source
        for source in settings.sources
        if (last := last_read.get(source.name)) is None or not now - age < last <= now
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """How many editions have only totals now, and how many deliveries went into totals."""

    editions: int = 0
    deliveries: int = 0


def prune(
    settings: Settings, *, now: datetime, batch: int = retention.BATCH, rest: float = REST
) -> PruneResult:
    """Prune the editions that were finished `retention` ago; nothing without one.

    Other processes may work meanwhile, and it may be killed: the next call does what is left. An
    Unknown delivery stays until the owner decides on it, and with it what is needed to send it
    again. Stories, decisions and editions stay for good: no article comes twice. Raises
    StorageError.
    """
    if settings.retention is None:
        return PruneResult()
    editions = deliveries = 0
    with open_database(settings.database, create=False) as db:
        for edition_id in retention.finished_before(db, now - settings.retention):
            while pruned := retention.prune_batch(db, edition_id, most=batch):
                deliveries += pruned
                time.sleep(rest)
            editions += retention.mark_pruned(db, edition_id, now)
    return PruneResult(editions=editions, deliveries=deliveries)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """How much was checked, and every rule that is broken."""

    extent: Extent
    breaches: tuple[Violation, ...]


def audit(settings: Settings) -> AuditReport:
    """Check every rule of the database. Raises StorageErrors."""
    with open_database(settings.database, Access.READ) as db:
        return AuditReport(extent=integrity.extent(db), breaches=integrity.violations(db))
