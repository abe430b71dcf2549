"""A backup is whole and nobody else's business; one that is put back mails nobody by itself."""

import shutil
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from digest.errors import AlreadySending, Held, UsageError
from digest.publishing.backup import RestoreResult, accept_restored, create_backup
from digest.publishing.maintenance import audit
from digest.publishing.send import UnknownPolicy, resume
from digest.storage.database import open_database
from digest.storage.locks import sender_lock
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

LATER = NOW + timedelta(hours=5)


@pytest.fixture
def sent_half(paper: Paper) -> Paper:
    """An edition that is with one of its three readers, and a slot that is due."""
    paper.publish("Ferry runs again")
    paper.subscribe("ada@example.com", "bo@example.com", "cleo@example.com")
    paper.send(RecordingTransport())
    paper.run("update deliveries set state = 'queued', attempts = 0 where id > 1")
    paper.run("update editions set state = 'prepared', finished_at = null")
    paper.run(
        "insert into slots (newsletter, slot, due_at, state, since) values"
        " ('daily', '2026-03-12T11:00', '2026-03-12T11:00:00Z', 'due', '')"
    )
    paper.run("insert into timetables values ('daily', '2026-03-12T07:00:00Z')")
    return paper


def put_back(paper: Paper, copy: Path) -> None:
    for left in paper.settings.folder.glob("subscribers.db-*"):
        left.unlink()
    shutil.copy(copy, paper.settings.database)


def test_a_backup_is_whole_private_and_by_itself_while_somebody_writes(
    sent_half: Paper, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with open_database(sent_half.settings.database) as writer, writer.transaction():
        writer.execute("update articles set title = 'Not yet committed'")
        size = create_backup(sent_half.settings, copy, now=NOW)
    assert size == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("*copy.db*")) == ["copy.db"]
    connection = sqlite3.connect(copy)
    assert connection.execute("select title from articles").fetchall() == [("Ferry runs again",)]
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_nothing_of_an_erased_reader_is_in_a_backup(sent_half: Paper, tmp_path: Path) -> None:
    name = "Wilhelmina-" + "x" * 50
    sent_half.run("update subscribers set name = ?", name)
    sent_half.run("update subscribers set name = ''")
    create_backup(sent_half.settings, tmp_path / "copy.db", now=NOW)
    assert b"Wilhelmina" not in (tmp_path / "copy.db").read_bytes()


def test_a_file_that_exists_is_never_overwritten(sent_half: Paper, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        create_backup(sent_half.settings, copy, now=NOW)
    assert copy.read_text() == "precious"
    copy.unlink()
    copy.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(UsageError, match="exists already"):
        create_backup(sent_half.settings, copy, now=NOW)


def test_a_backup_that_was_put_back_mails_nobody(sent_half: Paper, tmp_path: Path) -> None:
    create_backup(sent_half.settings, tmp_path / "copy.db", now=NOW)
    put_back(sent_half, tmp_path / "copy.db")
    transport = RecordingTransport()
    with pytest.raises(Held, match="is a backup of 2026-03-12T07:00:00Z") as held:
        sent_half.send(transport, now=LATER)
    assert "digest restored" in str(held.value.hint)
    assert not transport.accepted


def test_once_its_owner_says_so_it_goes_on_and_whoever_waited_in_it_is_unknown(
    sent_half: Paper, tmp_path: Path
) -> None:
    create_backup(sent_half.settings, tmp_path / "copy.db", now=NOW)
    put_back(sent_half, tmp_path / "copy.db")
    assert accept_restored(sent_half.settings, now=LATER) == RestoreResult(made_at=NOW, in_doubt=2)
    assert sent_half.states() == {
        "ada@example.com": "sent",
        "bo@example.com": "unknown",
        "cleo@example.com": "unknown",
    }
    assert sent_half.value("select state from slots") == "skipped"
    assert "is a backup of" in str(sent_half.value("select reason from slots"))
    assert sent_half.value("select until from timetables") == "2026-03-12T12:00:00Z"
    assert audit(sent_half.settings).breaches == ()
    transport = RecordingTransport()
    sent_half.send(transport, now=LATER)
    assert not transport.accepted
    resume(
        sent_half.settings,
        sent_half.newsletter,
        transport,
        unknown=UnknownPolicy.RESEND,
        clock=lambda: LATER,
        progress=lambda _plan: lambda _state: None,
    )
    assert sorted(one.envelope.rcpt_to for one in transport.accepted) == [
        "bo@example.com",
        "cleo@example.com",
    ]
    with pytest.raises(UsageError, match="is not a backup"):
        accept_restored(sent_half.settings, now=LATER)


def test_what_another_program_restored_is_gone_on_with_when_somebody_says_of_when_it_is(
    sent_half: Paper,
) -> None:
    with pytest.raises(UsageError, match="is not a backup"):
        accept_restored(sent_half.settings, now=LATER)
    assert accept_restored(sent_half.settings, now=LATER, since=NOW).in_doubt == 2
    assert set(sent_half.states().values()) == {"sent", "unknown"}


def test_a_backup_is_not_gone_on_with_while_somebody_sends(
    sent_half: Paper, tmp_path: Path
) -> None:
    create_backup(sent_half.settings, tmp_path / "copy.db", now=NOW)
    put_back(sent_half, tmp_path / "copy.db")
    with sender_lock(sent_half.settings.database), pytest.raises(AlreadySending):
        accept_restored(sent_half.settings, now=LATER)


def test_the_database_itself_is_no_backup(sent_half: Paper, tmp_path: Path) -> None:
    create_backup(sent_half.settings, tmp_path / "copy.db", now=NOW)
    assert isinstance(sent_half.value("pragma user_version"), int)
    with pytest.raises(UsageError, match="is not a backup"):
        accept_restored(sent_half.settings, now=LATER)
