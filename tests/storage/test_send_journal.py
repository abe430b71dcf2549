"""The journal, and what a ledger learns from it after a crash."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import DatabaseUnwritable
from digest.model.delivery import DeliveryState
from digest.storage import deliveries, send_journal
from digest.storage.database import Database, open_database
from digest.storage.send_journal import Evidence, Journal

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subscribers.db.sending"


def test_what_was_written_is_read_back(path: Path) -> None:
    writing = Journal(path)
    writing.begun(1)
    writing.begun(2)
    writing.ended(1, DeliveryState.SENT, "250 2.0.0 ok\r\nsecond line")
    writing.close()
    assert send_journal.read(path) == Evidence(
        begun=frozenset({1, 2}),
        ended={1: (DeliveryState.SENT, "250 2.0.0 ok second line")},
        whole=True,
    )


def test_a_missing_journal_proves_nothing(path: Path) -> None:
    assert send_journal.read(path) == Evidence(whole=False)


def test_a_journal_of_another_boot_proves_nothing_by_silence(path: Path) -> None:
    path.write_text("digest journal 1 another-boot\nbegun 1\nsent 1 250 ok\n", encoding="ascii")
    evidence = send_journal.read(path)
    assert not evidence.whole
    assert evidence.ended == {1: (DeliveryState.SENT, "250 ok")}


def test_a_line_that_was_not_written_whole_is_passed_over(path: Path) -> None:
    Journal(path).begun(1)
    with path.open("ab") as file:
        file.write(b"sent 1")
    assert send_journal.read(path).ended == {}


@given(noise=st.binary(max_size=60))
def test_no_damage_makes_a_journal_unreadable(noise: bytes) -> None:
    handle, name = tempfile.mkstemp()
    os.close(handle)
    path = Path(name)
    try:
        path.write_bytes(b"digest journal 1 x\nbegun 7\n" + noise)
        assert 7 in send_journal.read(path).begun
    finally:
        path.unlink()


def test_a_second_attempt_makes_the_first_answer_void(path: Path) -> None:
    writing = Journal(path)
    writing.begun(1)
    writing.ended(1, DeliveryState.DEFERRED, "451 later")
    writing.begun(1)
    writing.close()
    assert send_journal.read(path).ended == {}


def test_a_long_journal_starts_over_and_keeps_what_the_ledger_does_not_know(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_journal, "_LONG", 2_000)
    writing = Journal(path)
    for number in range(200):
        writing.begun(number)
        writing.ended(number, DeliveryState.SENT, "250 ok")
    writing.begun(500)
    writing.forget(range(199))
    assert path.stat().st_size < 200
    writing.begun(501)
    writing.close()
    evidence = send_journal.read(path)
    assert evidence.begun == {199, 500, 501}
    assert set(evidence.ended) == {199}
    assert evidence.whole


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for next to nothing."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("may not mount a small file system here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_before_anything_leaves(tiny_disk: Path) -> None:
    writing = Journal(tiny_disk / "journal")
    with pytest.raises(DatabaseUnwritable, match="No space left"):
        for number in range(10_000):
            writing.begun(number)
    writing.close()
    begun = send_journal.read(tiny_disk / "journal").begun
    # Every line that is there is a line that was meant, up to the last one.
    assert begun == frozenset(range(len(begun)))


STATES = ("queued", "sending", "sending", "sending", "sending", "sent")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Database]:
    """An edition with six deliveries; those with the ids 2 to 5 are claimed."""
    with open_database(tmp_path / "subscribers.db") as db:
        db.execute(
            "insert into editions (newsletter, slot, number, state, since, cutoff,"
            " last_article_id, nonce, subject, created_at, first_delivery_id, last_delivery_id)"
            " values ('daily', 'slot', 1, 'prepared', '', '', 0, 'n', 's', '', 1, 6)"
        )
        db.execute(
            "insert into variants (edition_id, variant, language, topics, fields, subject, html,"
            " text) values (1, 'en', 'en', '[]', '[]', 's', 'h', 't')"
        )
        for id_, state in enumerate(STATES, start=1):
            db.execute(
                "insert into subscribers (id, email, created_at) values (?, ?, '')",
                (id_, f"reader-{id_}@example.com"),
            )
            db.execute(
                "insert into deliveries (id, edition_id, subscriber_id, variant, state, attempts,"
                " finished_at) values (?, 1, ?, 'en', ?, 1, ?)",
                (id_, id_, state, "2026-03-12T06:00:00Z" if state == "sent" else None),
            )
        yield db


def states(db: Database) -> list[str]:
    return [row["state"] for row in db.rows("select state from deliveries order by id")]


def test_after_the_death_of_a_process_only_what_was_begun_without_an_end_is_unknown(
    ledger: Database,
) -> None:
    said = Evidence(
        begun=frozenset({2, 3, 4}),
        ended={2: (DeliveryState.SENT, "250 ok"), 3: (DeliveryState.DEFERRED, "451 later")},
        whole=True,
    )
    deliveries.recover(ledger, said, NOW)
    assert states(ledger) == ["queued", "sent", "deferred", "unknown", "queued", "sent"]


def test_after_a_power_cut_silence_makes_a_claimed_delivery_unknown(ledger: Database) -> None:
    said = Evidence(begun=frozenset({2}), ended={2: (DeliveryState.SENT, "250 ok")}, whole=False)
    deliveries.recover(ledger, said, NOW)
    assert states(ledger) == ["queued", "sent", "unknown", "unknown", "unknown", "sent"]


def test_a_journal_changes_nothing_that_is_not_claimed(ledger: Database) -> None:
    said = Evidence(
        begun=frozenset({1, 6}),
        ended={1: (DeliveryState.SENT, "250"), 6: (DeliveryState.REJECTED, "550")},
        whole=True,
    )
    deliveries.recover(ledger, said, NOW)
    assert states(ledger) == ["queued", "queued", "queued", "queued", "queued", "sent"]
