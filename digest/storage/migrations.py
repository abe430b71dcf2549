"""Migrations: a database gets the numbered steps of the schema that it lacks.

Raw SQL, because sqlite-utils' `transform` silently drops triggers and WITHOUT ROWID. sqlite-utils
applies each step and its record in one transaction; it is imported only when a step is missing,
because the import alone takes a third of a second.
"""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from digest.storage.schema import (
    articles,
    audience,
    edition_deliveries,
    ledger,
    reasons,
    schedule,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

MIGRATION_SET: Final = "digest"

#: `PRAGMA application_id` of our files: "dgst" in ASCII.
APPLICATION_ID: Final = 0x64677374

#: Name and SQL of each step, in order. Append; never edit what has been released.
STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("0001_articles", articles.SQL),
    ("0002_audience", audience.SQL),
    ("0003_ledger", ledger.SQL),
    ("0004_schedule", schedule.SQL),
    ("0005_reasons", reasons.SQL),
    ("0006_edition_deliveries", edition_deliveries.SQL),
)


def applied(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the steps that the file has, in the order in which it got them."""
    has_record = connection.execute(
        "select 1 from sqlite_master where type = 'table' and name = '_sqlite_migrations'"
    ).fetchone()
    if not has_record:
        return ()
    return tuple(
        name
        for (name,) in connection.execute(
            "select name from _sqlite_migrations where migration_set = ? order by id",
            (MIGRATION_SET,),
        )
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps that the file lacks. The caller holds the lock that keeps others away."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(MIGRATION_SET)
    for name, sql in STEPS:
        migrations(name=name)(_step(sql))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    migrations.apply(Database(connection, execute_plugins=False))


def _step(sql: str) -> Callable[["Database"], None]:
    def run(db: "Database") -> None:
        for statement in statements(sql):
            db.execute(statement)

    return run


def statements(script: str) -> list[str]:
    """Cut a script into statements; `executescript` would commit the step's transaction first."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return statements
