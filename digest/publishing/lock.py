"""One sender at a time: a lock beside the database, which the system takes back from the dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import AlreadySending, DatabaseUnwritable


@contextmanager
def sending(database: Path) -> Iterator[None]:
    """Hold the sender's lock of a database. Raises AlreadySending if another process has it."""
    from filelock import FileLock, Timeout

    path = database.with_name(database.name + ".sending.lock")
    try:
        with FileLock(path, blocking=False):
            yield
    except Timeout as error:
        raise AlreadySending(
            f"another digest is sending editions of {database.name} right now",
            hint="`digest status` shows how far it is. Nothing was done here.",
        ) from error
    except PermissionError as error:
        raise DatabaseUnwritable(
            f"{path} cannot be made: {error.strerror}",
            hint="The folder of the database must be writable.",
        ) from error
