"""Locks beside a database: one process sends at a time, and one service works at a time.

A lock is a locked file, which the operating system unlocks when its process dies. Who holds the
lease of the service is in a file of its own; the lock is what counts, the file only names it.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from digest.errors import AlreadySending, DatabaseUnwritable, LedgerError
from digest.lib.atomic_file import replacing
from digest.lib.timestamps import from_text, to_text

#: Seconds within which the lease is taken: whoever looks at it holds it for a moment.
_TAKE_WITHIN: Final = 0.2


class LockFile:
    """A file that one process at a time has locked. Used by one thread."""

    def __init__(self, database: Path, suffix: str, *, resume_with: str) -> None:
        from filelock import FileLock

        # Resolved: a database with two names has one lock.
        path = database.resolve()
        self.path = path.with_name(path.name + suffix)
        self._lock = FileLock(self.path)
        self._resume_with = resume_with
        self._ours: tuple[int, int] | None = None

    def take(self, *, within: float = 0) -> bool:
        """Take it; False if another process has it for so many seconds.

        Raises DatabaseUnwritable.
        """
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=within, poll_interval=0.02)
        except Timeout:
            return False
        except OSError as error:
            raise unwritable_error(self.path, error) from error
        self._ours = _identity(self.path)
        return True

    @property
    def is_ours(self) -> bool:
        """Whether this process has it, and nobody has removed or replaced the file since.

        People remove lock files that look stale, and then a second process could start.
        """
        return self._ours is not None and _identity(self.path) == self._ours

    def check(self) -> None:
        """Raise LedgerError if the file is gone: another process could work at the same time."""
        if not self.is_ours:
            raise LedgerError(
                f"the lock {self.path} was removed while digest was working",
                hint="Never remove it: it is unlocked when its process ends."
                f" `{self._resume_with}` continues.",
            )

    def release(self) -> None:
        """Unlock it."""
        self._ours = None
        self._lock.release()


def unwritable_error(path: Path, error: OSError) -> DatabaseUnwritable:
    """The error for a file that cannot be made beside the database."""
    return DatabaseUnwritable(
        f"{path} cannot be created: {error.strerror or error}",
        hint="The folder of the database must be writable.",
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def sender_lock(database: Path) -> Iterator[LockFile]:
    """Hold the sender's lock of a database. Raises AlreadySending if another process has it."""
    lock = LockFile(database, ".sending.lock", resume_with="digest send")
    if not lock.take():
        raise AlreadySending(
            f"another digest process is sending editions of {database.name}",
            hint="`digest status` shows its progress. This command has changed nothing.",
        )
    try:
        yield lock
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
    """The lease of a database: of all its services, the one that holds it works.

    Used by one thread.
    """

    def __init__(self, database: Path) -> None:
        self._lock = LockFile(database, ".run.lock", resume_with="digest run")
        self._holder_file = self._lock.path.with_suffix(".json")

    def take(self, now: datetime) -> Holder | None:
        """Take the lease, and record this process as its holder; None if another process has it.

        Raises DatabaseUnwritable where the files cannot be written.
        """
        if not self._lock.take(within=_TAKE_WITHIN):
            return None
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), since=now)
        try:
            self._write(holder)
        except OSError as error:
            self._lock.release()
            raise unwritable_error(self._holder_file, error) from error
        return holder

    def holder(self) -> Holder | None:
        """Who holds the lease, where that is known; to be asked only when `take` has failed.

        A file whose process has died is from an earlier holder: the new one has not written yet.
        """
        try:
            values = json.loads(self._holder_file.read_bytes())
            holder = Holder(
                pid=values["pid"], host=values["host"], since=from_text(values["since"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        dead = holder.host == socket.gethostname() and not _is_alive(holder.pid)
        return None if dead else holder

    def current_holder(self) -> str | None:
        """Who holds the lease now, in words; None if nobody does. It leaves no trace.

        Unlike `holder`, it tries the lock: a process that was killed may have left its file.
        """
        if not self._lock.path.exists():
            return None
        try:
            is_free = self._lock.take()
        except DatabaseUnwritable:
            # We may only read: then the file is all that there is to know.
            holder = self.holder()
            return str(holder) if holder else None
        if is_free:
            self._lock.release()
            return None
        return str(self.holder() or "another process")

    @property
    def is_ours(self) -> bool:
        """Whether this process holds it, and nobody has removed or replaced the lock since."""
        return self._lock.is_ours

    def check(self) -> None:
        """Raise LedgerError if the lock file is gone: another service could be working, too."""
        self._lock.check()

    def release(self) -> None:
        """Give it up. The holder's file is removed, unless another process has the lock by now."""
        if self.is_ours:
            self._holder_file.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _write(self, holder: Holder) -> None:
        values = {"pid": holder.pid, "host": holder.host, "since": to_text(holder.since)}
        with replacing(self._holder_file) as unfinished:
            unfinished.write_text(json.dumps(values) + "\n", encoding="utf-8")


def held_by(holder: Holder | None) -> str:
    """By whom the lease is held, in words."""
    return f"held by {holder}" if holder else "held by another process"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # another user's process, or nothing that can be found out
    return True
