"""Somebody gives an order by hand in the very moment in which the service acts on what was."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from digest.lib.timestamps import from_text
from digest.model.schedule import OnSilence
from digest.publishing.drafts.editing import SkippedSlot, hold, show, skip
from digest.publishing.maintenance import audit
from digest.schedule.timetable import slots_after
from digest.selection import select
from digest.storage import edition_store
from tests.publishing.paper import NOW
from tests.scheduler.test_tick_drafts import SLOT, change, let_out, waiting
from tests.scheduler.ticking import Service, service_in


def before_it_is_stored(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something once, right before an edition that was rendered is stored."""
    acts = [act]
    store = edition_store.store

    def late(*args: object, **named: object) -> int:
        if acts:
            acts.pop()()
        return store(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(edition_store, "store", late)


def leave_out(service: Service, at: str) -> None:
    now = from_text(at)
    upcoming = slots_after(service.newsletter, now - timedelta(minutes=5))
    left = skip(service.paper.settings, service.newsletter, upcoming, reason="", now=now, slot=SLOT)
    assert isinstance(left, SkippedSlot)


def daily(folder: Path) -> Service:
    service = service_in(folder, "daily at 07:00")
    service.paper.publish("Harbour wall to be rebuilt", hours=3)
    service.paper.subscribe("ada@example.com", "bob@example.com")
    service.tick("2026-03-12T06:00:00Z")
    return service


def test_a_slot_that_is_skipped_while_its_edition_is_rendered_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = daily(tmp_path)
    before_it_is_stored(monkeypatch, lambda: leave_out(service, "2026-03-12T07:00:01Z"))

    service.tick("2026-03-12T07:00:00Z")
    service.tick("2026-03-12T07:05:00Z")

    assert service.received() == []
    assert service.slots() == {SLOT: "skipped"}
    assert service.reason(SLOT) == "skipped by the editor"


@pytest.mark.parametrize("approved", [True, False])
def test_so_has_one_whose_draft_is_skipped_or_held_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, approved: bool
) -> None:
    service = waiting(tmp_path, OnSilence.SEND)
    if approved:
        let_out(service, "2026-03-12T05:40:00Z")
    now = from_text("2026-03-12T07:00:01Z")
    before_it_is_stored(
        monkeypatch, lambda: hold(service.paper.settings, service.newsletter, now=now)
    )

    service.tick("2026-03-12T07:00:00Z")
    service.tick("2026-03-12T07:05:00Z")
    assert service.received() == []
    assert service.slots() == {SLOT: "draft"}

    let_out(service, "2026-03-12T07:06:00Z")
    before_it_is_stored(monkeypatch, lambda: leave_out(service, "2026-03-12T07:06:06Z"))
    service.tick("2026-03-12T07:06:05Z")
    service.tick("2026-03-12T07:10:00Z")

    assert service.received() == []
    assert service.slots() == {SLOT: "skipped"}
    assert audit(service.paper.settings).breaches == ()


def test_what_an_editor_writes_into_a_draft_in_its_last_moment_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = waiting(tmp_path, OnSilence.SEND)
    before_it_is_stored(
        monkeypatch,
        lambda: change(service, "Intro:\n", "Intro:\n    Good morning.\n", "2026-03-12T06:59:59Z"),
    )

    service.tick("2026-03-12T07:00:00Z")
    service.tick("2026-03-12T07:00:05Z")

    assert service.paper.value("select intro from editions") == "Good morning."


def test_a_slot_that_is_skipped_while_its_edition_fails_stays_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = daily(tmp_path)
    (tmp_path / "templates" / "email").mkdir(parents=True)
    (tmp_path / "templates" / "email" / "digest.html").write_text("{% if %}")

    def late(*args: object, **named: object) -> object:
        leave_out(service, "2026-03-12T07:00:01Z")
        return select(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as once:
        once.setattr("digest.publishing.editions.build.select", late)
        service.tick("2026-03-12T07:00:00Z")
    (tmp_path / "templates" / "email" / "digest.html").unlink()
    service.tick("2026-03-12T07:05:00Z")

    assert service.received() == []
    assert service.reason(SLOT) == "skipped by the editor"


def test_a_draft_that_is_begun_while_its_slot_fails_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = daily(tmp_path)
    (tmp_path / "templates" / "email").mkdir(parents=True)
    template = tmp_path / "templates" / "email" / "digest.html"
    upcoming = slots_after(service.newsletter, NOW - timedelta(hours=1))
    begun: list[int] = []

    def late(*args: object, **named: object) -> object:
        if not begun:
            begun.append(1)
            show(service.paper.settings, service.newsletter, upcoming, now=NOW, slot=SLOT)
            template.write_text("{% if %}")
        return select(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("digest.publishing.editions.build.select", late)
    service.tick("2026-03-12T07:00:00Z")
    template.unlink(missing_ok=True)

    assert service.slots() == {SLOT: "draft"}
    assert audit(service.paper.settings).breaches == ()
