"""The lease of the service: one holder, known by name, and never a dead one."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import DatabaseUnwritable, LedgerError
from digest.storage.locks import Lease, held_by

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from digest.storage.locks import Lease
lease = Lease(Path(sys.argv[1]))
assert lease.take(datetime(2026, 3, 12, 6, tzinfo=UTC))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "subscribers.db"
    path.touch()
    return path


def other_holder(database: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_whoever_comes_second_is_told_who_holds_it(database: Path) -> None:
    with other_holder(database) as process:
        lease = Lease(database)
        assert lease.take(NOW) is None
        holder = lease.holder()
        assert holder is not None
        assert (holder.pid, holder.since) == (process.pid, datetime(2026, 3, 12, 6, tzinfo=UTC))
        assert held_by(holder).endswith("since 2026-03-12T06:00:00Z")
        process.kill()


def test_the_lease_of_a_process_that_was_killed_is_free_and_no_longer_its_own(
    database: Path,
) -> None:
    with other_holder(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    lease = Lease(database)
    assert lease.holder() is None
    assert held_by(lease.holder()) == "held by another process"
    with lease:
        holder = lease.take(NOW)
        assert holder is not None
        assert holder.pid == os.getpid()
        assert lease.holder() == holder


def test_a_database_that_is_reached_by_two_ways_has_one_lease(
    database: Path, tmp_path: Path
) -> None:
    link = tmp_path / "elsewhere.db"
    link.symlink_to(database)
    with Lease(database) as lease:
        assert lease.take(NOW)
        assert Lease(link).take(NOW) is None


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_that_was_taken_away_is_noticed(database: Path, *, replaced: bool) -> None:
    with Lease(database) as lease:
        assert lease.take(NOW)
        lease.check()
        lock = database.with_name("subscribers.db.run.lock")
        lock.rename(lock.with_name("put aside"))  # so that its inode is not given out again
        if replaced:
            lock.touch()
        assert not lease.is_ours
        with pytest.raises(LedgerError, match="was removed"):
            lease.check()


@pytest.mark.parametrize(
    "holder_file",
    [
        "",
        "{",
        "[]",
        '"x"',
        '{"pid": "seven"}',
        json.dumps({"pid": 1, "host": "x", "since": "yesterday"}),
    ],
)
def test_a_holder_file_that_makes_no_sense_names_nobody(database: Path, holder_file: str) -> None:
    database.with_name("subscribers.db.run.json").write_text(holder_file, encoding="utf-8")
    assert Lease(database).holder() is None


def test_a_lease_that_was_let_go_leaves_no_holder_file(database: Path) -> None:
    with Lease(database) as lease:
        lease.take(NOW)
        assert database.with_name("subscribers.db.run.json").exists()
    assert not database.with_name("subscribers.db.run.json").exists()


def test_a_lock_that_cannot_be_made_is_said(database: Path) -> None:
    database.with_name("subscribers.db.run.lock").mkdir()
    with pytest.raises(DatabaseUnwritable, match="cannot be created"):
        Lease(database).take(NOW)
