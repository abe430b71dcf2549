"""One sender at a time: a lock beside the database, which the system takes back from the dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import AlreadySending, DatabaseUnwritable, LedgerError


class Hold:
    """The sender's lock of a database, while it is ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ours = _identity(path)

    def check(self) -> None:
        """Raise LedgerError if somebody has removed or replaced the lock: we are not alone then.

        People remove lock files that look stale, and a second process could start at once.
        """
        if _identity(self._path) != self._ours:
            raise LedgerError(
                f"the lock {self._path} was taken away while we were sending",
                hint="Leave it alone: it goes with its process. `digest send` goes on.",
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def sending(database: Path) -> Iterator[Hold]:
    """Hold the sender's lock of a database. Raises AlreadySending if another process has it."""
    from filelock import FileLock, Timeout

    # Resolved: a database that is reached by two ways has one lock.
    path = database.resolve()
    path = path.with_name(path.name + ".sending.lock")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise AlreadySending(
            f"another digest is sending editions of {database.name} right now",
            hint="`digest status` shows how far it is. Nothing was done here.",
        ) from error
    except OSError as error:
        raise DatabaseUnwritable(
            f"{path} cannot be made: {error.strerror or error}",
            hint="The folder of the database must be writable.",
        ) from error
    try:
        yield Hold(path)
    finally:
        lock.release()
