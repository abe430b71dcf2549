import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils

from digest.storage import migrations
from digest.storage.database import open_database

LEDGER_OF_ONE_EDITION = """
insert into subscribers (id, email, created_at)
values (7, 'ada@example.com', '2026-03-01T00:00:00Z');
insert into editions (id, newsletter, slot, number, state, since, cutoff, last_article_id, nonce,
    subject, created_at, first_delivery_id, last_delivery_id)
values (3, 'daily', '2026-03-12T07:00', 1, 'prepared', '2026-03-10T07:00:00Z',
    '2026-03-12T07:00:00Z', 0, 'n', 's', '2026-03-12T07:00:00Z', 40, 40);
insert into variants values (3, 'v', 'en', '[]', '[]', 's', 'h', 't');
insert into deliveries (id, edition_id, subscriber_id, variant, state, attempts, first_attempt_at,
    next_attempt_at, reply)
values (40, 3, 7, 'v', 'deferred', 2, '2026-03-12T07:00:01Z', '2026-03-12T07:06:00Z', '451 later');
"""


def database_of_step(path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database as the program made it when it had only so many steps."""
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "STEPS", migrations.STEPS[:step])
        with open_database(path):
            pass


_COLUMNS = 'select name, type, "notnull", dflt_value, pk from pragma_table_xinfo(?)'


def schema(path: Path) -> dict[str, set[object]]:
    """Tables with their columns, indexes and triggers; not the words in which they were made."""
    connection = sqlite3.connect(path)
    try:
        tables = [
            name
            for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        found: dict[str, set[object]] = {
            table: set(connection.execute(_COLUMNS, (table,))) for table in tables
        }
        others = "select type, name, tbl_name from sqlite_master where type <> 'table'"
        return found | {"others": set(connection.execute(others))}
    finally:
        connection.close()


@pytest.mark.parametrize("step", range(1, len(migrations.STEPS)))
def test_an_older_database_becomes_like_a_new_one(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    database_of_step(tmp_path / "old.db", step, monkeypatch)
    with open_database(tmp_path / "old.db"), open_database(tmp_path / "new.db"):
        pass

    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


def test_the_ledger_of_an_older_version_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "subscribers.db"
    database_of_step(path, 3, monkeypatch)
    connection = sqlite3.connect(path)
    connection.executescript(LEDGER_OF_ONE_EDITION)
    connection.close()

    with open_database(path) as db:
        row = db.row("select * from deliveries")
        assert row is not None
        assert (row["id"], row["state"], row["attempts"], row["due_at"]) == (
            40,
            "deferred",
            2,
            None,
        )
        assert row["reply"] == "451 later"
        assert db.rows("pragma foreign_key_check") == []
        # Ids are never given again.
        db.execute("delete from deliveries")
        db.execute("insert into deliveries (edition_id, subscriber_id, variant) values (3, 7, 'v')")
        assert db.connection.execute("select id from deliveries").fetchone()[0] == 41


def test_a_step_and_its_record_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "subscribers.db"
    database_of_step(path, 3, monkeypatch)
    broken = (
        *migrations.STEPS[:3],
        ("0004_broken", "create table a (x);\ninsert into nowhere values (1);"),
    )
    with monkeypatch.context() as now:
        now.setattr(migrations, "STEPS", broken)
        with pytest.raises(Exception, match="nowhere"), open_database(path):
            pass

    connection = SqliteUtils(path)
    assert "a" not in connection.table_names()
    connection.close()
    with open_database(path) as db:
        assert db.row("select count(*) from slots") is not None
