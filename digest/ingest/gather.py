"""Read many sources, keep what they hold. One that is broken does not stop the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.rows import Note, Reading, Rejected
from digest.ingest.sources import Validators, read
from digest.lib.redact import without_login
from digest.storage import articles, sources
from digest.storage.database import Database

#: How many sources are read at once.
AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What became of one source. Counts are of articles; `error` says why it could not be read."""

    source: str
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[Note, ...] = ()
    error: SourceError | None = None
    not_modified: bool = False

    @property
    def failed(self) -> bool:
        """Whether nothing came of it: it could not be read, or every row was rejected."""
        usable = self.new + self.edited + self.unchanged
        return self.error is not None or bool(self.rejected and not usable)


def gather(
    db: Database,
    read_from: Sequence[SourceSettings],
    *,
    now: datetime,
    site_url: str | None = None,
) -> tuple[SourceReport, ...]:
    """Read the sources, and keep their articles; the reports stand in the order of the sources.

    Each source is kept in one transaction, and its validators are remembered only after that: what
    a server says is old has been stored. The database is used in the calling thread alone, which
    must not run an event loop.
    """
    return asyncio.run(_gather(db, read_from, now, site_url))


async def _gather(
    db: Database,
    read_from: Sequence[SourceSettings],
    now: datetime,
    site_url: str | None,
) -> tuple[SourceReport, ...]:
    free = asyncio.Semaphore(AT_ONCE)
    reports = []
    # Not a TaskGroup: an error of the database must come out as itself, not inside a group.
    tasks = [
        asyncio.create_task(_read(source, _validators(db, source), site_url, free))
        for source in read_from
    ]
    try:
        for source, task in zip(read_from, tasks, strict=True):
            reports.append(_kept(db, source, await task, now))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(reports)


async def _read(
    source: SourceSettings, validators: Validators, site_url: str | None, free: asyncio.Semaphore
) -> Reading | SourceError:
    async with free:
        try:
            return await read(source, validators, site_url=site_url)
        except SourceError as error:
            return error


def _kept(
    db: Database, source: SourceSettings, reading: Reading | SourceError, now: datetime
) -> SourceReport:
    if isinstance(reading, SourceError):
        sources.record_failure(
            db, source.name, without_login(source.location), error=reading.message, now=now
        )
        return SourceReport(source=source.name, error=reading)
    kept = articles.keep(db, reading.articles, now)
    sources.record_reading(
        db,
        source.name,
        without_login(source.location),
        etag=reading.etag,
        last_modified=reading.last_modified,
        found_new=kept.new > 0,
        now=now,
    )
    if kept.new:
        # When they were published, not when we read them: we may have been away.
        days = (
            (article.published_at or now).astimezone(UTC).date() for article in reading.articles
        )
        sources.record_days(db, source.name, days, now=now)
    return SourceReport(
        source=source.name,
        new=kept.new,
        edited=kept.edited,
        unchanged=kept.unchanged,
        rejected=reading.rejected,
        notes=reading.notes,
        not_modified=reading.not_modified,
    )


def _validators(db: Database, source: SourceSettings) -> Validators:
    """Those of the last reading, if it read the same place."""
    last = sources.find(db, source.name)
    if last is None or last.location != without_login(source.location):
        return Validators()
    return Validators(etag=last.etag, last_modified=last.last_modified)
