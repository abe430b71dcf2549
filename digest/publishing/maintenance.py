"""Pruning: after the time of `retention`, who got an edition is forgotten, and how many is kept."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.config import Settings
from digest.storage import retention
from digest.storage.database import open_database

#: Seconds between two batches. Without them nobody who waits for the write lock would get it.
REST: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many editions have only totals now, and how many deliveries went into totals."""

    editions: int = 0
    deliveries: int = 0


def prune(
    settings: Settings, *, now: datetime, batch: int = retention.BATCH, rest: float = REST
) -> Pruned:
    """Prune the editions that were finished `retention` ago; nothing without one.

    It may run beside everything else, and be killed: what is left is done by the next call. An
    Unknown delivery stays until the owner decides on it, and with it what is needed to send it
    again. Stories, decisions and editions stay for good: no article comes twice. Raises
    StorageError.
    """
    if settings.retention is None:
        return Pruned()
    editions = deliveries = 0
    with open_database(settings.database, create=False) as db:
        for edition_id in retention.finished(db, now - settings.retention):
            while some := retention.prune_some(db, edition_id, most=batch):
                deliveries += some
                time.sleep(rest)
            editions += retention.close(db, edition_id, now)
    return Pruned(editions=editions, deliveries=deliveries)
