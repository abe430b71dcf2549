"""One sender at a time: a lock beside the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import AlreadySending, LedgerError
from digest.storage.lock_file import LockFile


class Hold:
    """The sender's lock of a database, while it is ours."""

    def __init__(self, lock: LockFile) -> None:
        self._lock = lock

    def check(self) -> None:
        """Raise LedgerError if the lock is gone: another process could be sending beside us."""
        if not self._lock.is_ours:
            raise LedgerError(
                f"the lock {self._lock.path} was taken away while we were sending",
                hint="Leave it alone: it goes with its process. `digest send` goes on.",
            )


@contextmanager
def sending(database: Path) -> Iterator[Hold]:
    """Hold the sender's lock of a database. Raises AlreadySending if another process has it."""
    lock = LockFile(database, ".sending.lock")
    if not lock.take():
        raise AlreadySending(
            f"another digest is sending editions of {database.name} right now",
            hint="`digest status` shows how far it is. Nothing was done here.",
        )
    try:
        yield Hold(lock)
    finally:
        lock.release()
