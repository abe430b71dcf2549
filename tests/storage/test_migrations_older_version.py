"""A folder that the version before migration 0005 left behind still runs.

Its database was made by that version's own commands and ticks: slots in every state, drafts held
for every reason, a source that fails, and an edition under way with deliveries in every state, one
of them claimed by a process that died.
"""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.config import Settings
from digest.config.load import load
from digest.model.slot import HoldKind, SkippedBy, SlotState
from digest.publishing.delivery.run import Report
from digest.publishing.maintenance import audit
from digest.publishing.notifications.events import current_notifications
from digest.storage import articles, migrations, slots, sources
from digest.storage.database import Access, open_database
from tests.cli.conftest import Run, run
from tests.publishing.paper import Paper
from tests.recording_transport import RecordingTransport

__all__ = ["run"]

OLD = Path(__file__).with_name("version_0004")
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)

#: Of the edition under way: who neither has it, nor was refused, nor may have it, nor has left.
WAITING = ["hal@example.com", "dora@example.com", "fay@example.com", "gus@example.com"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The old folder, as the working directory."""
    target = tmp_path / "gazette"
    shutil.copytree(OLD, target)
    packed = target / "subscribers.db.gz"
    (target / "subscribers.db").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    monkeypatch.chdir(target)
    return target


@pytest.fixture
def settings(folder: Path) -> Iterator[Settings]:
    """Its settings; the database is migrated."""
    settings = load(folder / "digest.toml", {})
    with open_database(settings.database) as db:
        assert len(migrations.applied(db.connection)) == len(migrations.STEPS)
    yield settings
    assert audit(settings).breaches == ()


def paper_of(settings: Settings, key: str) -> Paper:
    return Paper(replace(settings, newsletters={key: settings.newsletter(key)}))


def test_it_is_an_old_one(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "subscribers.db")) as connection:
        assert migrations.applied(connection)[-1] == "0004_schedule"


def test_slots_know_who_skipped_them_and_why_they_are_held(settings: Settings) -> None:
    with open_database(settings.database, Access.READ) as db:
        records = {
            (key, record.slot.name[5:10]): record
            for key in settings.newsletters
            for record in slots.recent(db, key, 99)
        }
    assert {
        name: (each.state, each.skipped_by, each.hold_kind) for name, each in records.items()
    } == {
        ("daily", "03-06"): (SlotState.PREPARED, None, None),
        ("daily", "03-07"): (SlotState.SKIPPED, SkippedBy.PROGRAM, None),
        ("daily", "03-08"): (SlotState.SKIPPED, SkippedBy.EDITOR, None),
        ("daily", "03-09"): (SlotState.FAILED, None, None),
        ("daily", "03-10"): (SlotState.PREPARED, None, None),
        ("daily", "03-11"): (SlotState.DUE, None, None),
        ("daily", "03-12"): (SlotState.DUE, None, None),
        ("evening", "03-06"): (SlotState.DRAFT, None, HoldKind.EDITOR),
        ("evening", "03-07"): (SlotState.DRAFT, None, HoldKind.UNDECIDED),
        ("evening", "03-08"): (SlotState.DRAFT, None, HoldKind.CHANGED),
        ("evening", "03-09"): (SlotState.DRAFT, None, HoldKind.LATE),
        ("evening", "03-10"): (SlotState.DRAFT, None, None),
        ("evening", "03-11"): (SlotState.SKIPPED, SkippedBy.EDITOR, None),
    }


def test_a_source_that_fails_has_its_time_and_its_message_apart(settings: Settings) -> None:
    with open_database(settings.database, Access.READ) as db:
        failing, well = sources.find(db, "Town council"), sources.find(db, "Harbour radio")
    assert failing is not None
    assert failing.last_error_at == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert failing.last_error == "Town council: there is no file /srv/gazette/notices.csv"
    assert well is not None
    assert (well.last_error, well.last_error_at) == (None, None)


def test_the_owner_is_told_the_same_as_before(settings: Settings) -> None:
    with open_database(settings.database, Access.READ) as db:
        events = {notice.event.split("Z")[0] for notice in current_notifications(db, settings, NOW)}
    assert {
        "skipped daily 2026-03-07T07:00",
        "failed daily 2026-03-09T07:00",
        "late daily 2026-03-12T07:00",
        "held evening 2026-03-06T18:00 held 2026-03-06T16:00:00",
        "held evening 2026-03-07T18:00 waiting 2026-03-07T16:00:00",
        "held evening 2026-03-08T18:00 approved 2026-03-08T16:00:00",
        "held evening 2026-03-09T18:00 approved 2026-03-09T16:00:00",
        "draft evening 2026-03-10T18:00",
        "broken Town council 2026-03-09T05:00:00",
    } == {event for event in events if not event.startswith(("stuck", "unknown", "rejected"))}


def test_an_article_that_was_dropped_is_explained(settings: Settings, run: Run) -> None:
    with open_database(settings.database, Access.READ) as db:
        (dropped,) = articles.search(db, text="An advertisement")
    assert "dropped: by the editor" in run("explain", dropped.id).out


def test_audit_status_plan_and_explain_work(settings: Settings, run: Run) -> None:
    assert run("audit").code == 0
    status = run("status", "daily").out
    assert "No. 2" in status
    assert "skipped by the editor: a holiday" in status
    plan = json.loads(run("plan", "evening", "--json", "--at", "2026-03-12T08:00").out)
    assert plan["service"] is None
    assert {slot["draft"] for slot in plan["newsletters"][0]["slots"]} >= {"held", "approved"}
    assert "550 5.1.1 no such user" in run("explain", "cleo@example.com").out
    assert "unsubscribed" in run("explain", "ida@example.com").out


def test_the_edition_under_way_is_finished_and_nobody_gets_it_twice(settings: Settings) -> None:
    paper = paper_of(settings, "daily")
    transport = RecordingTransport()
    assert isinstance(paper.send(transport, now=NOW), Report)
    nonce = str(paper.value("select nonce from editions where number = 2")).encode()
    received = [each.envelope.rcpt_to for each in transport.attempts if nonce in each.message]
    assert sorted(received) == sorted(WAITING)
    with open_database(settings.database, Access.READ) as db:
        rows = db.rows(
            "select s.email, d.state from edition_deliveries d"
            " join subscribers s on s.id = d.subscriber_id where d.number = 2"
        )
    assert {row["email"].partition("@")[0]: row["state"] for row in rows} == {
        "ada": "sent",
        "ben": "sent",
        "cleo": "rejected",
        "dora": "sent",
        "emil": "unknown",
        "fay": "sent",
        "gus": "sent",
        "hal": "sent",
        "ida": "withheld",
        # Claimed when the old process died, and no journal says that it was not sent.
        "jon": "unknown",
    }
