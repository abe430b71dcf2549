"""Ingesting: read sources, and keep their articles in the newsletter's database."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.config import Settings, SourceSettings
from digest.ingest.sources import SourceReport, gather
from digest.storage import sources
from digest.storage.database import Access, open_database


def ingest(
    settings: Settings, read_from: Sequence[SourceSettings], *, now: datetime
) -> tuple[SourceReport, ...]:
    """Read the sources and keep their articles; the reports stand in the order of the sources.

    One that cannot be read does not stop the others. The calling thread must not run an event
    loop. Raises StorageErrors.
    """
    with open_database(settings.database) as db:
        return gather(db, read_from, now=now, site_url=settings.site.url)


def stale(settings: Settings, age: timedelta, *, now: datetime) -> tuple[SourceSettings, ...]:
    """The configured sources that were not read for so long, or never. Raises StorageErrors."""
    with open_database(settings.database, Access.READ) as db:
        read = {one.name: one.last_read_at for one in sources.everything(db)}
    return tuple(
        source
        for source in settings.sources
        if (last := read.get(source.name)) is None or not now - age < last <= now
    )
