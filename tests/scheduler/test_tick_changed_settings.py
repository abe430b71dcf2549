"""The settings change between two ticks: slots keep their hours, and nobody is mailed for it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.lib.timestamps import from_text
from digest.model.schedule import CatchUp, DeliverAt, OnSilence, Timing
from digest.publishing.drafts.editing import skip
from digest.publishing.maintenance import audit
from digest.schedule.parse import parse_schedule
from digest.schedule.timetable import slots_after
from tests.publishing.paper import Paper
from tests.scheduler.test_tick_drafts import SLOT, waiting
from tests.scheduler.ticking import Service, service_in


def stocked(service: Service) -> Service:
    service.paper.publish("Harbour wall to be rebuilt", hours=30)
    service.paper.publish("Council votes on the ferry", hours=25)
    service.paper.subscribe("ada@example.com", "bob@example.com")
    return service


def set_anew(service: Service, *lines: str, timing: Timing | None = None) -> None:
    before = service.newsletter
    schedule = parse_schedule(lines) if lines else before.schedule
    changed = replace(before, schedule=schedule, timing=timing or before.timing)
    service.paper = Paper(replace(service.paper.settings, newsletters={changed.key: changed}))


def test_a_slot_that_came_early_for_the_east_waits_when_all_are_served_at_once(
    tmp_path: Path,
) -> None:
    by_reader = Timing(deliver_at=DeliverAt.READER)
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=by_reader))
    service.paper.run(
        "update subscribers set timezone = 'Pacific/Kiritimati' where email like 'ada%'"
    )
    service.tick("2026-03-11T16:00:00Z")
    (tmp_path / "templates" / "email").mkdir(parents=True)
    bad = tmp_path / "templates" / "email" / "digest.html"
    bad.write_text("{% if %}")
    service.tick("2026-03-11T17:00:00Z")
    assert service.slots() == {"2026-03-12T07:00": "due"}
    bad.unlink()

    set_anew(service, timing=Timing())
    service.tick("2026-03-11T18:00:00Z")
    assert service.received() == []
    service.tick("2026-03-12T07:00:00Z")
    assert service.received() == ["ada@example.com", "bob@example.com"]


def test_a_new_schedule_has_missed_nothing_before_it_was_there(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 18:00"))
    for hour in range(12, 24):
        service.tick(f"2026-03-11T{hour}:00:00Z")
    sent = len(service.received())
    service.paper.publish("News of the night", hours=1)
    for hour in range(10):
        service.tick(f"2026-03-12T{hour:02}:00:00Z")

    set_anew(service, "daily at 08:00")
    service.tick("2026-03-12T10:00:00Z")
    assert len(service.received()) == sent
    service.tick("2026-03-13T08:00:00Z")
    assert len(service.received()) == sent + 2


def test_drafts_as_far_apart_as_their_lead_time_are_each_decided(tmp_path: Path) -> None:
    timing = Timing(approval=True, lead_time=timedelta(days=1), on_silence=OnSilence.SEND)
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=timing))
    service.tick("2026-03-11T06:00:00Z")
    service.tick("2026-03-11T07:00:00Z")
    service.paper.publish("News of Thursday", hours=-1)
    service.tick("2026-03-12T07:00:00Z")
    assert service.received() == ["ada@example.com", "bob@example.com"]


@pytest.mark.parametrize(
    "timing", [Timing(catch_up=CatchUp.SKIP), Timing(max_lateness=timedelta(hours=2))]
)
def test_a_draft_goes_out_no_later_than_any_edition_may(tmp_path: Path, timing: Timing) -> None:
    service = waiting(tmp_path, OnSilence.SEND)
    set_anew(
        service,
        timing=replace(
            service.newsletter.timing, catch_up=timing.catch_up, max_lateness=timing.max_lateness
        ),
    )
    service.tick("2026-03-12T12:00:00Z")
    assert service.received() == []
    assert service.slots() == {SLOT: "skipped"}


def test_what_was_missed_is_not_made_up_for_in_a_slot_that_the_editor_left_out(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-11T08:00:00Z")
    now = from_text("2026-03-11T08:00:00Z")
    skip(
        service.paper.settings,
        service.newsletter,
        slots_after(service.newsletter, now),
        reason="",
        now=now,
        slot="2026-03-13T07:00",
    )
    service.tick("2026-03-13T10:00:00Z")
    assert service.slots() == {"2026-03-12T07:00": "prepared", "2026-03-13T07:00": "skipped"}
    assert service.received() == ["ada@example.com", "bob@example.com"]
    assert audit(service.paper.settings).breaches == ()


def test_a_time_of_the_next_try_that_a_wrong_clock_set_is_not_waited_for(tmp_path: Path) -> None:
    service = waiting(tmp_path, OnSilence.HOLD)
    service.tick("2026-03-12T07:00:00Z")
    service.tick("2026-03-12T19:00:00Z")
    set_anew(service, timing=replace(service.newsletter.timing, on_silence=OnSilence.SEND))
    service.tick("2026-03-12T07:10:00Z")
    assert service.received() == ["ada@example.com", "bob@example.com"]


def test_what_nobody_foresaw_is_a_try_that_failed_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("digest.publishing.editions.build.select", broken)
    service.tick("2026-03-12T07:00:00Z")
    assert service.paper.value("select tries from slots") == 1


def test_a_slot_does_not_give_way_to_itself_when_the_newsletter_moves_to_another_zone(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-11T06:00:00Z")
    service.tick("2026-03-11T07:00:00Z")
    service.paper.run("update editions set state = 'prepared', stopped_at = '2026-03-11T07:00:01Z'")
    service.paper.publish("News of Thursday", hours=1)
    service.tick("2026-03-12T07:00:00Z")
    assert service.slots()[SLOT] == "due"

    moved = replace(service.newsletter, timezone=ZoneInfo("America/New_York"))
    service.paper = Paper(replace(service.paper.settings, newsletters={moved.key: moved}))
    service.tick("2026-03-12T11:00:00Z")
    assert service.slots()[SLOT] == "due"
    service.paper.run("update editions set state = 'sent', stopped_at = null")
    service.tick("2026-03-12T11:00:05Z")
    assert service.slots()[SLOT] == "prepared"
    assert audit(service.paper.settings).breaches == ()


def test_a_draft_of_a_slot_that_the_schedule_has_no_more_gives_way(tmp_path: Path) -> None:
    service = waiting(tmp_path, OnSilence.SEND)
    set_anew(service, "daily at 07:30")
    service.tick("2026-03-12T05:40:00Z")
    assert service.slots() == {SLOT: "skipped", "2026-03-12T07:30": "draft"}
    service.tick("2026-03-12T07:00:00Z")
    assert service.received() == []
    service.tick("2026-03-12T07:30:00Z")
    assert service.received() == ["ada@example.com", "bob@example.com"]
