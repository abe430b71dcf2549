"""Copies of the database as backups, made while other processes work.

The copy is marked as one, with the time at which it was made: put in the place of the database, it
has no record of what was sent since. The mark is `pragma user_version`, which nothing else uses:
the minute, counted from 1970.
"""

import os
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from digest.errors import StorageError
from digest.lib.timestamps import to_text
from digest.model.delivery import OPEN_DELIVERIES
from digest.model.slot import OPEN_SLOTS
from digest.storage.database import Database
from digest.storage.rows import sql_list

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def copy_to(db: Database, target: Path, now: datetime) -> None:
    """Write a copy to a new file that only its owner may read: marked, checked, and on the disk.

    VACUUM INTO reads one state of the database, as a reader does: writers go on meanwhile. It
    leaves out what was deleted, so that nobody who was erased is in the copy. Raises StorageError;
    the file is of no use then.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db.execute("vacuum into ?", (str(target),))
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        minute = int((now - _EPOCH).total_seconds()) // 60
        copy.execute("pragma journal_mode = wal")
        copy.execute(f"pragma user_version = {minute:d}")
        faults = [row[0] for row in copy.execute("pragma quick_check(5)") if row[0] != "ok"]
    finally:
        copy.close()
    if faults:
        raise StorageError(
            f"the copy is damaged: {'; '.join(faults)}",
            hint="`digest check` checks the database itself.",
        )
    with target.open("rb") as written:
        os.fsync(written.fileno())


def made_at(db: Database) -> datetime | None:
    """When the copy was made that this database is; None for one that is not a copy."""
    row = db.row("pragma user_version")
    return _EPOCH + timedelta(minutes=row[0]) if row and row[0] else None


_IN_DOUBT = f"""
update deliveries set state = 'unknown', next_attempt_at = null, finished_at = :now, reply = :why,
    attempts = max(attempts, 1)
where state in {sql_list(OPEN_DELIVERIES)}
  and edition_id in (select id from editions where state <> 'sent')
"""  # noqa: S608 (a constant)

_INCOMPLETE = """
update editions set state = 'incomplete', finished_at = :now
where state = 'prepared'
  and exists (select 1 from deliveries d where d.state = 'unknown' and d.edition_id = editions.id)
"""

_SLOTS_PASSED = f"""
update slots set state = 'skipped', skipped_by = 'program', hold_kind = null, reason = :why,
    next_try_at = null, since = :now
where newsletter = :newsletter and state in {sql_list(OPEN_SLOTS)} and due_at <= :until
"""  # noqa: S608 (a constant)

_DRAFTS_PASSED = """
delete from drafts where (newsletter, slot) in (
    select newsletter, slot from slots where state = 'skipped')
"""

_UP_TO_NOW = "update timetables set until = max(until, :until) where newsletter = :newsletter"

_FOLLOWED = "select newsletter from timetables union select newsletter from slots"


def accept_restored(
    db: Database,
    *,
    since: datetime,
    now: datetime,
    passed: Mapping[str, datetime] = MappingProxyType({}),
) -> int:
    """Make a backup of `since` the database from `now` on.

    An open delivery may have been sent meanwhile, and becomes Unknown; slots that came meanwhile
    are skipped, those of a newsletter up to the time in `passed`, or else `now`. The mark is
    removed. Returns how many deliveries became Unknown.
    """
    why = f"the database is a backup of {to_text(since)}, and what was sent since is not in it"
    values = {"now": to_text(now), "why": why}
    with db.transaction():
        in_doubt = db.execute(_IN_DOUBT, values).rowcount
        db.execute(_INCOMPLETE, values)
        for row in db.rows(_FOLLOWED):
            until = to_text(passed.get(row["newsletter"], now))
            db.execute(_SLOTS_PASSED, values | {"newsletter": row["newsletter"], "until": until})
            db.execute(_UP_TO_NOW, {"newsletter": row["newsletter"], "until": until})
        db.execute(_DRAFTS_PASSED)
        db.execute("pragma user_version = 0")
    return in_doubt
