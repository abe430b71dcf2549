"""The one place where a database is opened."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlite_utils import Database as SqliteUtils
from sqlite_utils.migrations import Migrations

from digest.errors import (
    DatabaseBusy,
    DatabaseForeign,
    DatabaseNewer,
    DatabaseUnwritable,
    StorageError,
)
from digest.storage import migrations
from digest.storage.database import Access, Database, open_database


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "subscribers.db"
    with open_database(path):
        pass
    return path


def test_a_fresh_file_gets_the_whole_schema_and_our_mark(file: Path) -> None:
    with open_database(file) as db:
        assert migrations.applied(db.connection) == tuple(name for name, _ in migrations.STEPS)
        assert _value(db, "pragma application_id") == migrations.APPLICATION_ID
        assert _value(db, "pragma integrity_check") == "ok"


def test_a_fresh_file_is_nobody_elses_business(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_open_database_keeps_foreign_keys_wal_and_full_synchronisation(file: Path) -> None:
    with open_database(file) as db:
        assert _value(db, "pragma foreign_keys") == 1
        assert _value(db, "pragma journal_mode") == "wal"
        assert _value(db, "pragma synchronous") == 2


def test_a_reader_cannot_write(file: Path) -> None:
    with (
        pytest.raises(DatabaseUnwritable),
        open_database(file, Access.READ) as db,
    ):
        db.execute("delete from keys")


def test_reading_a_missing_file_says_so_and_makes_none(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="there is no database"),
        open_database(tmp_path / "none.db", Access.READ),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_that_fails_leaves_nothing(file: Path) -> None:
    with open_database(file) as db:
        with pytest.raises(StorageError, match="UNIQUE"), db.transaction():
            for _ in range(2):
                db.execute("insert into keys (name, key) values ('half', x'00')")
        assert _value(db, "select count(*) from keys") == 2


def test_processes_that_start_together_on_a_fresh_file_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    program = (
        "import sys; from pathlib import Path\n"
        "from digest.storage.database import open_database\n"
        "sys.stdin.readline()\n"
        "with open_database(Path(sys.argv[1])) as db:\n"
        "    print(db.row('select count(*) from keys')[0])\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate() for process in started] == [("2\n", "")] * 4


def test_an_outdated_file_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    _with_steps(path, migrations.STEPS[:1])
    with open_database(path, Access.READ) as db:
        assert len(migrations.applied(db.connection)) == len(migrations.STEPS)
        assert _value(db, "select count(*) from sources") == 1


def test_a_newer_file_is_refused_and_not_touched(file: Path) -> None:
    _with_steps(file, [("9999_from_the_future", "create table hover (id integer);")])
    before = file.read_bytes()
    with pytest.raises(DatabaseNewer, match="9999_from_the_future"), open_database(file):
        pass
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 40, b"short"])
def test_a_file_that_is_not_sqlite_is_refused_and_not_touched(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "subscribers.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseForeign), open_database(path):
        pass
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "cookbook.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("create table recipes (name text)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseForeign, match="another program"), open_database(path):
        pass
    assert path.read_bytes() == before


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseForeign, match="is not a file"), open_database(tmp_path):
        pass


def test_a_damaged_file_is_told_apart(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    file.write_bytes(bytes(content))
    with pytest.raises(DatabaseForeign, match="damaged"), open_database(file) as db:
        db.rows("select * from articles")


def test_a_locked_file_is_busy(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin exclusive")
    with (
        pytest.raises(DatabaseBusy, match="locked by another process"),
        open_database(file, busy_timeout=0.01) as db,
        db.transaction(),
    ):
        pass
    other.close()


def test_a_file_in_a_read_only_folder_can_be_read_and_says_why_not_written(
    world_readable: Path,
) -> None:
    path = world_readable / "subscribers.db"
    with open_database(path):
        pass
    path.chmod(0o644)
    with _as_somebody_else():
        with open_database(path, Access.READ) as db:
            assert _value(db, "select count(*) from keys") == 2
        with pytest.raises(DatabaseUnwritable, match="cannot be opened"), open_database(path):
            pass
        with pytest.raises(DatabaseUnwritable), open_database(world_readable / "new.db"):
            pass


@pytest.fixture
def world_readable() -> Iterator[Path]:
    """A folder that everybody may read, and only its owner write. (pytest's own are private.)"""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@contextmanager
def _as_somebody_else() -> Iterator[None]:
    """Without root's right to write everywhere, which would hide what others meet."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_full_disk_is_named_and_undone(file: Path) -> None:
    def fill_the_disk() -> None:
        with open_database(file) as db:
            db.execute(f"pragma max_page_count = {_value(db, 'pragma page_count')}")
            with db.transaction():
                db.execute("insert into keys (name, key) values ('big', zeroblob(10000000))")

    with pytest.raises(DatabaseUnwritable, match="disk is full"):
        fill_the_disk()
    with open_database(file) as db:
        assert _value(db, "select count(*) from keys") == 2


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="there is no folder"),
        open_database(tmp_path / "nowhere" / "subscribers.db"),
    ):
        pass


def test_receipts_of_consent_are_never_changed_or_deleted(file: Path) -> None:
    with open_database(file) as db:
        db.execute(
            "insert into subscribers (email, created_at) values ('a@example.com', '2026-03-01')"
        )
        db.execute(
            "insert into consents (subscriber_id, newsletter, action, wording, origin, at)"
            " values (1, 'daily', 'added', 'yes', 'test', '2026-03-01')"
        )
        for statement in ("update consents set action = 'x'", "delete from consents"):
            with pytest.raises(sqlite3.IntegrityError, match="receipt"):
                db.execute(statement)


def _value(db: Database, sql: str) -> object:
    row = db.row(sql)
    assert row is not None
    return row[0]


def _with_steps(path: Path, steps: Sequence[tuple[str, str]]) -> None:
    """Make or extend a file as a version of digest with just these further steps would."""
    connection = sqlite3.connect(path, isolation_level=None)
    made = Migrations(migrations.MIGRATION_SET)
    for name, sql in steps:
        made(name=name)(_script(sql))
    connection.execute(f"pragma application_id = {migrations.APPLICATION_ID}")
    made.apply(SqliteUtils(connection, execute_plugins=False))
    if steps[0][0] == migrations.STEPS[0][0]:
        connection.execute("insert into sources (name, location) values ('old', 'old.csv')")
    connection.close()


def _script(sql: str) -> Callable[[SqliteUtils], None]:
    def run(db: SqliteUtils) -> None:
        for statement in migrations.statements(sql):
            db.execute(statement)

    return run
