"""A table or view of another program's SQLite database. The file is only read."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.columns import columns_of, did_you_mean, listed
from digest.ingest.rows import RejectedRow, Row

if TYPE_CHECKING:
    from sqlite_utils import Database

#: Seconds to wait for the program that the database belongs to.
PATIENCE: Final = 5.0


def rows(source: SourceSettings) -> Iterator[Row | RejectedRow]:
    """The rows of the table, in its own order; `row N` counts from 1.

    Raises SourceError for a file that is missing, locked or not SQLite, and for a table or column
    that it does not have.
    """
    from sqlite_utils import Database

    path = Path(source.location)
    if not path.is_file():
        raise SourceError(
            f"{source.name}: there is no file {os.path.normpath(path)}", hint="Check the path."
        )
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE)
        # One text in another encoding must not end the reading of all others.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            yield from _table_rows(Database(connection, execute_plugins=False), source)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _in_words(error, source) from error


def _table_rows(db: "Database", source: SourceSettings) -> Iterator[Row | RejectedRow]:
    name = _table_name(db, source)
    table = db.view(name) if name in db.view_names() else db.table(name)
    columns = columns_of(list(table.columns_dict), source.columns, f"{source.name}, table {name},")
    for number, values in enumerate(table.rows, start=1):
        place = f"row {number:,}"
        binary = [field for field, column in columns.items() if isinstance(values[column], bytes)]
        if binary:
            yield RejectedRow(
                place=place, reason=f"its {binary[0]} is binary data, expected a text"
            )
            continue
        yield Row(
            place=place,
            fields={
                field: str(values[column])
                for field, column in columns.items()
                if values[column] is not None
            },
        )


def _table_name(db: "Database", source: SourceSettings) -> str:
    names = [*db.table_names(), *db.view_names()]
    if source.table in names:
        return str(source.table)
    shown = listed(names)
    if source.table is not None:
        raise SourceError(
            f"{source.name} has no table {source.table!r}; it has {shown}."
            + did_you_mean(source.table, names),
            hint="Correct `table` at the source in digest.toml.",
        )
    if "articles" in names or len(names) == 1:
        return "articles" if "articles" in names else names[0]
    raise SourceError(
        f"{source.name}: which table? It has {shown}",
        hint='Name it: table = "…" at the source in digest.toml, or --table.',
    )


def _in_words(error: sqlite3.Error, source: SourceSettings) -> SourceError:
    shown = os.path.normpath(source.location)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SourceError(
            f"{source.name}: another program has locked {shown} for {PATIENCE:.0f} s",
            hint="Read it again when that program has ended.",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return SourceError(
            f"{source.name}: {shown} is not a SQLite database, or is damaged ({error})",
            hint="Check `path` and `kind` at the source in digest.toml.",
        )
    return SourceError(
        f"{source.name}: {shown} cannot be read ({error})",
        hint="Check the rights on the file and its folder.",
    )
