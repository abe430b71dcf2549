"""The lease: of all services on one database, the one that holds it is at work.

A lock file that the operating system lets go when a process dies, however it dies. Who holds it
stands in a file of its own; the lock is the truth, the file only puts a name to it.

A lock file beside the database, which the system takes back from a process that dies.

One sender at a time: a lock beside the database.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from digest.errors import AlreadySending, DatabaseUnwritable, LedgerError
from digest.lib.timestamps import from_text, to_text


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
            raise unwritable_error(self.path, error) from error
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


def unwritable_error(path: Path, error: OSError) -> DatabaseUnwritable:
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


class SenderLock:
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
def sender_lock(database: Path) -> Iterator[SenderLock]:
    """Hold the sender's lock of a database. Raises AlreadySending if another process has it."""
    lock = LockFile(database, ".sending.lock")
    if not lock.take():
        raise AlreadySending(
            f"another digest is sending editions of {database.name} right now",
            hint="`digest status` shows how far it is. Nothing was done here.",
        )
    try:
        yield SenderLock(lock)
    finally:
        lock.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that holds a lease."""

    pid: int
    host: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {to_text(self.since)}"


class Lease:
    """The lease of a database. Used by one thread."""

    def __init__(self, database: Path) -> None:
        self._lock = LockFile(database, ".run.lock")
        self._card = self._lock.path.with_suffix(".json")

    def take(self, now: datetime) -> Holder | None:
        """Take the lease, and say who we are; None if another process has it.

        Raises DatabaseUnwritable where there can be none.
        """
        if not self._lock.take():
            return None
        ourselves = Holder(pid=os.getpid(), host=socket.gethostname(), since=now)
        try:
            self._write(ourselves)
        except OSError as error:
            self._lock.release()
            raise unwritable_error(self._card, error) from error
        return ourselves

    def holder(self) -> Holder | None:
        """Who holds the lease, where that is known; to be asked when `take` has failed.

        A card whose process is no more is of an earlier holder: the new one has not yet written.
        """
        try:
            card = json.loads(self._card.read_bytes())
            found = Holder(pid=card["pid"], host=card["host"], since=from_text(card["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        gone = found.host == socket.gethostname() and not _alive(found.pid)
        return None if gone else found

    @property
    def is_ours(self) -> bool:
        """Whether we hold it, and nobody has removed or replaced the lock since."""
        return self._lock.is_ours

    def check(self) -> None:
        """Raise LedgerError if the lock is gone: another process could be at work beside us."""
        if not self.is_ours:
            raise LedgerError(
                f"the lock {self._lock.path} was taken away while the service ran",
                hint="Leave it alone: it goes with its process. Start `digest run` again.",
            )

    def release(self) -> None:
        """Let it go. Our card goes with it, unless the lock is another's by now."""
        if self.is_ours:
            self._card.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _write(self, holder: Holder) -> None:
        fresh = self._card.with_name(f"{self._card.name}.{os.getpid()}")
        card = {"pid": holder.pid, "host": holder.host, "since": to_text(holder.since)}
        try:
            fresh.write_text(json.dumps(card) + "\n", encoding="utf-8")
            fresh.replace(self._card)
        finally:
            fresh.unlink(missing_ok=True)


def held_by(holder: Holder | None) -> str:
    """Who has the lease, in words."""
    return f"held by {holder}" if holder else "held by another process"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's process, or nothing that we can tell
    return True
