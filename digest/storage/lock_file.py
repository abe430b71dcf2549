"""A lock file beside the database, which the system takes back from a process that dies."""

from pathlib import Path

from digest.errors import DatabaseUnwritable


class LockFile:
    """One process at a time has it. Used by one thread."""

    def __init__(self, database: Path, suffix: str) -> None:
        from filelock import FileLock

        # Resolved: a database that is reached by two ways has one lock.
        path = database.resolve()
        self.path = path.with_name(path.name + suffix)
        self._lock = FileLock(self.path)
        self._ours: tuple[int, int] | None = None

    def take(self) -> bool:
        """Take it; False if another process has it. Raises DatabaseUnwritable."""
        from filelock import Timeout

        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._ours = _identity(self.path)
        return True

    @property
    def is_ours(self) -> bool:
        """Whether we have it, and nobody has removed or replaced the file since.

        People remove lock files that look stale, and then a second process could start.
        """
        return self._ours is not None and _identity(self.path) == self._ours

    def release(self) -> None:
        """Let it go."""
        self._ours = None
        self._lock.release()


def unwritable(path: Path, error: OSError) -> DatabaseUnwritable:
    """The error for a file that cannot be made beside the database."""
    return DatabaseUnwritable(
        f"{path} cannot be made: {error.strerror or error}",
        hint="The folder of the database must be writable.",
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
