"""A slot that is due and waits: it can be left out, and it does not wait in silence."""

from pathlib import Path

from digest.lib.timestamps import from_text
from digest.publishing.drafts.editing import SkippedSlot, skip
from digest.schedule.timetable import slots_after
from digest.storage.locks import sender_lock
from tests.scheduler.ticking import Service, service_in

SLOT = "2026-03-12T07:00"


def daily(folder: Path) -> Service:
    service = service_in(folder, "daily at 07:00")
    service.paper.publish("Harbour wall to be rebuilt", hours=3)
    service.paper.subscribe("ada@example.com")
    service.tick("2026-03-12T06:00:00Z")
    return service


def test_a_slot_that_waits_for_its_next_try_can_be_left_out(tmp_path: Path) -> None:
    service = daily(tmp_path)
    template = tmp_path / "templates" / "email" / "digest.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% if %}")
    assert service.results("2026-03-12T07:00:00Z") == {"put off": 1}
    now = from_text("2026-03-12T07:00:30Z")

    upcoming = slots_after(service.newsletter, now)
    left = skip(service.paper.settings, service.newsletter, upcoming, reason="", now=now, slot=SLOT)

    assert isinstance(left, SkippedSlot)
    assert left.slot.name == SLOT
    template.unlink()
    assert service.results("2026-03-12T07:01:00Z") == {}
    assert service.slots() == {SLOT: "skipped"}


def test_a_slot_that_waits_for_an_hour_for_somebody_who_sends_by_hand_says_so(
    tmp_path: Path,
) -> None:
    service = daily(tmp_path)
    with sender_lock(service.paper.settings.database):
        assert service.results("2026-03-12T07:00:00Z") == {}
        assert service.results("2026-03-12T08:00:05Z") == {"put off": 1}
    assert "another digest process is sending" in str(service.reason(SLOT))

    assert service.results("2026-03-12T08:01:05Z") == {"prepared": 1, "served": 1}
