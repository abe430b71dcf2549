"""How long it takes to import a list of readers from CSV.

    python benchmarks/imports.py [READERS]

The reference, in the same run on an equal empty database, is a bare `executemany` of the very rows
that the import stores (subscriber, subscription and receipt), made beforehand: what SQLite costs
without finding out the file's format, checking an address or looking for anybody. Each figure is
the median of several rounds that take turns.
"""

import secrets
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from digest.storage.database import open_database
from digest.subscribers import importing, list_file
from digest.subscribers.changes import ChangeContext
from digest.subscribers.import_policy import ImportResult

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
ROUNDS = 5

TABLES = {
    "subscribers": "id, email, name, language, timezone, fields, created_at",
    "subscriptions": "subscriber_id, newsletter, state, topics, since, token",
    "consents": "subscriber_id, newsletter, action, wording, origin, at",
}

Rows = dict[str, list[tuple[object, ...]]]


def file_of(readers: int) -> bytes:
    """A CSV file of so many readers, in no order of their addresses."""
    lines = (
        f"{secrets.token_hex(5)}.{number}@example.com,Reader {number},en"
        for number in range(readers)
    )
    return "\n".join(["email,name,language", *lines]).encode()


def through_import(data: bytes, path: Path) -> float:
    """Seconds from the bytes of the file to the commit."""
    with open_database(path) as db:
        begin = time.perf_counter()
        listed = importing.read_list(list_file.read(data).rows, now=NOW, zone=UTC)
        given = ChangeContext(
            newsletter="daily",
            now=NOW,
            origin="import readers.csv",
            tokens=lambda: secrets.token_urlsafe(16),
            numbered=True,
        )
        importing.import_readers(db, listed.readers, given)
        return time.perf_counter() - begin


def again(data: bytes, path: Path) -> float:
    """Seconds to import a file whose readers are all on the list already."""
    with open_database(path) as db:
        begin = time.perf_counter()
        listed = importing.read_list(list_file.read(data).rows, now=NOW, zone=UTC)
        given = ChangeContext(newsletter="daily", now=NOW, origin="x", tokens=str)
        report = importing.import_readers(db, listed.readers, given)
        seconds = time.perf_counter() - begin
    if report.results[ImportResult.UNCHANGED] != len(listed.readers):
        raise SystemExit(f"the same file changed something: {report.results}")
    return seconds


def stored(path: Path) -> Rows:
    """The rows that an import has made."""
    with open_database(path) as db:
        return {
            name: [tuple(row) for row in db.rows(f"select {columns} from {name}")]  # noqa: S608
            for name, columns in TABLES.items()
        }


def bare(rows: Rows, path: Path) -> float:
    """Seconds to store rows that are there already."""
    with open_database(path) as db:
        begin = time.perf_counter()
        with db.transaction():
            for name, columns in TABLES.items():
                places = ", ".join("?" * len(columns.split(",")))
                db.connection.executemany(
                    f"insert into {name} ({columns}) values ({places})",  # noqa: S608
                    rows[name],
                )
        return time.perf_counter() - begin


def main() -> None:
    """Measure, and print speeds and ratios."""
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    imported, repeated, reference = [], [], []
    data = file_of(readers)
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            first, second = Path(name, "imported.db"), Path(name, "bare.db")
            imported.append(through_import(data, first))
            repeated.append(again(data, first))
            reference.append(bare(stored(first), second))
    floor = statistics.median(reference)
    for what, times in (
        ("bare executemany", reference),
        ("import", imported),
        ("the same file again", repeated),
    ):
        seconds = statistics.median(times)
        print(f"{what:20} {readers / seconds:8,.0f} readers/s  {seconds / floor:5.2f} x")


if __name__ == "__main__":
    main()
