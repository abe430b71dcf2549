"""The one place where a database is opened, and where SQLite's errors get words."""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from digest.errors import (
    DatabaseBusy,
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnwritable,
    StorageError,
)
from digest.model.subscriber import answers_of
from digest.storage import migrations
from digest.storage.rows import read

#: Seconds to wait for another process before saying that the database is busy.
BUSY_TIMEOUT: Final = 10.0

#: The operators -> and ->> came with 3.38 (2022).
_OLDEST_SQLITE: Final = (3, 38, 0)

T = TypeVar("T")

Parameters = Mapping[str, Any] | Sequence[Any]


class Access(Enum):
    """READ never changes the file (but for its migration, once); WRITE may."""

    READ = "read"
    WRITE = "write"


class Database:
    """An open database. Statements outside `transaction` commit by themselves."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        connection.create_function("reader_answers", 3, _reader_answers, deterministic=True)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self.connection.execute(sql, parameters).fetchone()
        return row

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row of a query; None where there is no row."""
        row = self.connection.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def values(self, kind: type[T], sql: str, parameters: Parameters = ()) -> tuple[T, ...]:
        """All rows of a query as values of a dataclass (`rows`)."""
        return tuple(read(kind, self.connection.execute(sql, parameters)))

    def value(self, kind: type[T], sql: str, parameters: Parameters = ()) -> T | None:
        """The first row of a query as a value of a dataclass, or None."""
        return next(read(kind, self.connection.execute(sql, parameters)), None)

    def execute(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Takes the write lock at once (BEGIN IMMEDIATE).

        A deferred BEGIN that reads and then writes fails under contention, whatever the timeout.
        """
        try:
            self.connection.execute("begin immediate")
            yield
            self.connection.execute("commit")
        except BaseException as error:
            # SQLite has already rolled back by itself after some errors, a full disk among them.
            if self.connection.in_transaction:
                self.connection.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise _in_words(error, self.path) from error
            raise


@contextmanager
def open_database(
    path: Path,
    access: Access = Access.WRITE,
    *,
    busy_timeout: float = BUSY_TIMEOUT,
    cache: int = 8,
    create: bool = True,
) -> Iterator[Database]:
    """Open a newsletter's database, made or migrated first where that is needed.

    Safe with several processes at once: who comes second waits, and then finds the work done.
    Raises the StorageError that fits, here and for whatever SQLite refuses while it is open;
    a file that is not ours or newer than this program is left as it was. `cache` is in megabytes:
    with little of it, the indexes of a large import go to the disk and back. With `create` False
    a missing or empty file is an error: an unmounted disk must not look like a first day.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {sqlite3.sqlite_version} is too old, digest needs 3.38 or newer",
            hint="Use a Python that brings a newer SQLite.",
        )
    try:
        if (access is Access.READ or not create) and not _has_content(path):
            raise StorageError(
                f"there is no database at {path}",
                hint="`digest ingest` or `digest subscribers add` makes one. If there was one, look"
                " for it first: it holds who received what.",
            )
        _bring_up_to_date(path, busy_timeout)
        connection = _connect(path, access, busy_timeout, cache)
        try:
            yield Database(connection, path)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _in_words(error, path) from error


def _connect(path: Path, access: Access, busy_timeout: float, cache: int) -> sqlite3.Connection:
    uri = _reading(path) if access is Access.READ else f"{_uri(path)}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout, isolation_level=None)
    try:
        _set_up(connection, access, cache)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, access: Access, cache: int) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("pragma foreign_keys = on")
    if access is Access.WRITE:
        connection.execute("pragma journal_mode = wal")
        # FULL: a claim must survive a power cut before its message leaves the machine.
        connection.execute("pragma synchronous = full")
        connection.execute(f"pragma cache_size = {-1024 * cache}")


def _reader_answers(segment_fields: str, name: str, fields: str) -> str:
    """`answers_of` for SQL: lists and fields are JSON."""
    return json.dumps(answers_of(_parsed(segment_fields), name, _parsed(fields)))


@lru_cache(maxsize=1024)  # of a million readers, most share theirs
def _parsed(text: str) -> Any:
    return json.loads(text)


def _has_content(path: Path) -> bool:
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _uri(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}"


def _reading(path: Path) -> str:
    """How to open a file for reading only.

    Even a reader of a WAL database writes beside it, unless it is told that nobody else does: true
    where the folder is read-only and no log is left.
    """
    effective = os.access in os.supports_effective_ids
    alone = not os.access(path.parent, os.W_OK, effective_ids=effective)
    logged = path.with_name(path.name + "-wal").exists()
    return f"{_uri(path)}?mode=ro{'&immutable=1' if alone and not logged else ''}"


def _bring_up_to_date(path: Path, busy_timeout: float) -> None:
    if _has_content(path) and not _steps_missing(path, busy_timeout):
        return
    if not path.parent.is_dir():
        raise StorageError(
            f"there is no folder {path.parent} for the database {path.name}",
            hint="Make the folder, or change `database.path` in digest.toml.",
        )
    from filelock import FileLock, Timeout

    lock = path.with_name(path.name + ".lock")
    try:
        with FileLock(lock, timeout=busy_timeout):
            # Addresses and keys are nobody else's business; SQLite's own files follow this mode.
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
            try:
                connection.execute("pragma journal_mode = wal")
                migrations.migrate(connection)
            finally:
                connection.close()
    except Timeout as error:
        raise DatabaseBusy(
            f"another process has been updating {path} for more than {busy_timeout:.0f} s",
            hint=f"Wait for it to end, or end it; the lock is {lock}.",
        ) from error
    except OSError as error:
        raise DatabaseUnwritable(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Check the rights on the file and its folder, and the free space.",
        ) from error


def _steps_missing(path: Path, busy_timeout: float) -> bool:
    """Whether the file is ours and lacks steps. Raises for one that we must not touch."""
    if not path.is_file():
        raise DatabaseForeign(
            f"{path} is not a file", hint="Change `database.path` in digest.toml."
        )
    connection = sqlite3.connect(_reading(path), uri=True, timeout=busy_timeout)
    try:
        have = migrations.applied(connection)
        tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
        mark = connection.execute("pragma application_id").fetchone()[0]
    finally:
        connection.close()
    if mark not in (0, migrations.APPLICATION_ID) or (tables and not have and mark == 0):
        raise DatabaseForeign(
            f"{path} is a SQLite database of another program",
            hint="Change `database.path` in digest.toml; to read articles from this file, make it"
            ' a [[sources]] of kind "sqlite".',
        )
    known = [name for name, _ in migrations.STEPS]
    unknown = [name for name in have if name not in known]
    if unknown:
        raise DatabaseNewer(
            f"{path} was written by a later version of digest (it has {unknown[-1]},"
            f" this version knows up to {known[-1]})",
            hint="Install that version. The file has not been touched.",
        )
    return len(have) < len(known)


def _in_words(error: sqlite3.Error, path: Path) -> StorageError:
    """The StorageError that says what SQLite meant."""
    # sqlite_errorcode is an extended code; its low byte is the primary one.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseBusy(
            f"{path} is locked by another process",
            hint="Try again when the other one has ended.",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return DatabaseForeign(
            f"{path} is not a SQLite database, or it is damaged ({error})",
            hint="Restore it from a backup. `sqlite3 FILE .recover` may save what is left.",
        )
    if code == sqlite3.SQLITE_FULL:
        return DatabaseUnwritable(
            f"the disk is full: {path} cannot grow",
            hint="Make room, and repeat the command.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return DatabaseUnwritable(
            f"{path} cannot be read or written ({error})",
            hint="Look at the free space, the limits and the health of the disk.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return DatabaseUnwritable(
            f"{path} cannot be opened for this ({error})",
            hint="Check the rights on the file and its folder: SQLite writes beside it, too.",
        )
    return StorageError(f"the database {path} refused: {error}")
