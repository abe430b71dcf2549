"""Gathering: all sources are read, whatever one of them does."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from digest.config import Settings, SourceSettings
from digest.errors import SourceError, StorageError
from digest.ingest.sources import SourceReport
from digest.publishing.maintenance import ingest


def read_all(
    settings: Settings, read_from: Sequence[SourceSettings], now: datetime
) -> Iterator[SourceReport]:
    """Read them at once; where that ends in something unforeseen, one after the other.

    Raises StorageErrors.
    """
    if not read_from:
        return
    try:
        yield from ingest(settings, read_from, now=now)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001  # the service outlives whatever a source does to it
        if len(read_from) == 1:
            yield SourceReport(source=read_from[0].name, error=_unforeseen(error))
            return
        for source in read_from:
            yield from read_all(settings, (source,), now)


def _unforeseen(error: Exception) -> SourceError:
    found = SourceError(
        f"something we did not foresee: {type(error).__name__}: {error}",
        hint="`digest --debug ingest` shows where it comes from. Please report it.",
    )
    found.__cause__ = error
    return found
