"""Backups: making one, and continuing with one that was put back.

A database that is put back has no record of what was sent since. So nothing is sent until its owner
has accepted it, and every delivery that was open in it is Unknown from then on.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.config import Settings
from digest.errors import DatabaseUnwritable, UsageError
from digest.lib.atomic_file import creating
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.editions.build import slot_of
from digest.publishing.editions.due_times import earliest_due_time
from digest.storage import backup as copying
from digest.storage.database import Access, Database, open_database
from digest.storage.locks import sender_lock
from digest.storage.send_journal import journal_of


def create_backup(settings: Settings, file: Path, *, now: datetime) -> int:
    """Copy the database to a new file, whole or not at all; other processes may work meanwhile.

    Returns the size of the file in octets. Raises UsageError for a file that exists, and
    StorageErrors.
    """
    if file.exists() or file.is_symlink():
        raise UsageError(
            f"{file} exists already, and a backup is never overwritten",
            hint="Choose a new name, such as one with the date in it.",
        )
    try:
        with creating(file) as unfinished, open_database(settings.database, Access.READ) as db:
            copying.copy_to(db, unfinished, now)
    except FileExistsError as error:
        raise UsageError(f"{file} has come to exist meanwhile; it was left alone") from error
    except OSError as error:
        raise DatabaseUnwritable(
            f"{file} cannot be written: {error.strerror or error}",
            hint="Check the folder, its rights, and the free space.",
        ) from error
    return file.stat().st_size


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """A backup was accepted: when it was made, and how many deliveries became Unknown."""

    made_at: datetime
    in_doubt: int


def accept_restored(
    settings: Settings, *, now: datetime, since: datetime | None = None
) -> RestoreResult:
    """Continue with a backup that was put in the place of the database.

    `since` is when it was made, where another program made it and the file does not say. Raises
    UsageError where neither says so, AlreadySending, and StorageErrors.
    """
    with open_database(settings.database, create=False) as db, sender_lock(settings.database):
        made_at = since or copying.made_at(db)
        if made_at is None:
            raise UsageError(
                f"{settings.database.name} is not a backup that `digest backup` made",
                hint="If another program made it, give the time of the copy: `--since TIME`.",
            )
        passed = {
            newsletter.key: _passed(db, newsletter, now)
            for newsletter in settings.newsletters.values()
        }
        in_doubt = copying.accept_restored(db, since=made_at, now=now, passed=passed)
        # It belongs to the database that was replaced.
        journal_of(settings.database).unlink(missing_ok=True)
    return RestoreResult(made_at=made_at, in_doubt=in_doubt)


def _passed(db: Database, newsletter: Newsletter, now: datetime) -> datetime:
    """The time of the last slot that early readers may have had: where they are, it is later."""
    present = Slot(newsletter=newsletter.key, name=slot_of(now, newsletter), at=now)
    return now + (now - earliest_due_time(db, newsletter, present))
