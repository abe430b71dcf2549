"""The editor and the clock: a draft is made, changed, approved, and leaves at its slot."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.lib.timestamps import from_text
from digest.model.schedule import OnSilence, Timing
from digest.publishing.drafts.draft_file import DraftFile, write
from digest.publishing.drafts.editing import (
    ApprovedDraft,
    SkippedSlot,
    apply_draft_file,
    approve,
    hold,
    show,
    skip,
)
from digest.publishing.maintenance import audit
from digest.schedule.timetable import slots_after
from tests.composer.parts import part
from tests.publishing.paper import Paper
from tests.scheduler.ticking import Service, service_in

SLOT = "2026-03-12T07:00"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return waiting(tmp_path, OnSilence.HOLD)


def waiting(folder: Path, on_silence: OnSilence) -> Service:
    """A service at five, when the draft for seven has just been made."""
    timing = Timing(approval=True, lead_time=timedelta(hours=2), on_silence=on_silence)
    service = service_in(folder, "daily at 07:00", timing=timing)
    service.paper.publish("Harbour wall to be rebuilt", hours=3)
    service.paper.publish("Council votes on the ferry", hours=5)
    service.paper.subscribe("ada@example.com", "bob@example.com")
    service.tick("2026-03-12T04:00:00Z")
    assert service.results("2026-03-12T05:00:00Z") == {"drafted": 1}
    assert service.slots() == {SLOT: "draft"}
    return service


def change(service: Service, old: str, new: str, at: str) -> None:
    """Write the draft out, change it, and read it back."""
    settings, newsletter, now = service.paper.settings, service.newsletter, from_text(at)
    shown = show(settings, newsletter, (), now=now)
    assert isinstance(shown, DraftFile)
    text = write(shown, newsletter, now=now)
    assert old in text
    result = apply_draft_file(settings, newsletter, text.replace(old, new).encode(), now=now)
    assert isinstance(result, DraftFile), result


def let_out(service: Service, at: str) -> None:
    result = approve(service.paper.settings, service.newsletter, now=from_text(at))
    assert isinstance(result, ApprovedDraft), result


def test_what_was_edited_and_approved_leaves_at_the_slot(service: Service) -> None:
    change(service, "Intro:\n", "Intro:\n    Good morning.\n", "2026-03-12T05:30:00Z")
    let_out(service, "2026-03-12T05:40:00Z")

    assert service.results("2026-03-12T06:59:59Z") == {}
    assert service.results("2026-03-12T07:00:00Z") == {"prepared": 1, "served": 1}
    assert service.received() == ["ada@example.com", "bob@example.com"]
    assert "Good morning." in part(bytes(service.transport.accepted[0].message), "plain")
    assert service.slots() == {SLOT: "prepared"}
    assert audit(service.paper.settings).breaches == ()


def test_nobody_decides_and_it_waits_until_somebody_does(service: Service) -> None:
    assert service.results("2026-03-12T07:00:00Z") == {"held": 1}
    assert service.reason(SLOT) == "nobody has decided on its draft; `digest approve` releases it"
    service.tick("2026-03-12T09:00:00Z")
    assert service.received() == []

    let_out(service, "2026-03-12T09:00:02Z")

    assert service.results("2026-03-12T09:00:05Z") == {"prepared": 1, "served": 1}
    assert service.paper.value("select cutoff from editions") == "2026-03-12T07:00:00Z"


def test_what_drifted_is_held_and_named_and_goes_when_it_is_approved_again(
    service: Service,
) -> None:
    let_out(service, "2026-03-12T05:40:00Z")
    service.paper.run("update articles set title = 'Harbour wall stays' where id = 1")

    assert service.results("2026-03-12T07:00:00Z") == {"held": 1}
    assert str(service.reason(SLOT)).startswith("the title of article 1 was corrected after")
    let_out(service, "2026-03-12T07:10:00Z")
    assert service.results("2026-03-12T07:10:05Z") == {"prepared": 1, "served": 1}


@pytest.mark.parametrize(
    ("on_silence", "expected", "state"),
    [
        (OnSilence.SEND, {"prepared": 1, "served": 1}, "prepared"),
        (OnSilence.SKIP, {"skipped": 1}, "skipped"),
    ],
)
def test_silence_means_what_the_newsletter_says(
    tmp_path: Path, on_silence: OnSilence, expected: dict[str, int], state: str
) -> None:
    service = waiting(tmp_path, on_silence)
    assert service.results("2026-03-12T07:00:00Z") == expected
    assert service.slots() == {SLOT: state}
    assert audit(service.paper.settings).breaches == ()


def test_a_held_draft_outlives_the_next_slot_and_leaves_when_it_is_approved(
    service: Service,
) -> None:
    hold(service.paper.settings, service.newsletter, now=from_text("2026-03-12T05:10:00Z"))
    service.paper.publish("News of Thursday", hours=-3)

    assert service.results("2026-03-12T07:00:00Z") == {"held": 1}
    service.tick("2026-03-13T05:00:00Z")
    assert service.slots() == {SLOT: "draft", "2026-03-13T07:00": "draft"}
    let_out(service, "2026-03-13T05:30:00Z")
    service.tick("2026-03-13T05:30:05Z")
    assert service.slots() == {SLOT: "prepared", "2026-03-13T07:00": "draft"}


def test_a_slot_that_was_skipped_ahead_comes_to_nothing(service: Service) -> None:
    now = from_text("2026-03-12T05:10:00Z")
    coming = slots_after(service.newsletter, now)
    tomorrow = "2026-03-13T07:00"
    result = skip(
        service.paper.settings, service.newsletter, coming, reason="fair", now=now, slot=tomorrow
    )
    assert isinstance(result, SkippedSlot)
    let_out(service, "2026-03-12T05:40:00Z")
    for at in ("12T07:00", "13T05:00", "13T07:00", "13T08:00"):
        service.tick(f"2026-03-{at}:00Z")
    assert service.slots() == {SLOT: "prepared", tomorrow: "skipped"}
    assert service.reason(tomorrow) == "skipped by the editor: fair"
    assert len(service.received()) == 2


def test_what_was_approved_and_is_too_late_waits_for_another_word(tmp_path: Path) -> None:
    service = waiting(tmp_path, OnSilence.HOLD)
    timing = replace(service.newsletter.timing, max_lateness=timedelta(hours=2))
    newsletter = replace(service.newsletter, timing=timing)
    service.paper = Paper(replace(service.paper.settings, newsletters={"daily": newsletter}))
    let_out(service, "2026-03-12T05:40:00Z")

    assert service.results("2026-03-12T12:00:00Z") == {"held": 1}
    assert "`digest approve` releases it anyway" in str(service.reason(SLOT))
    let_out(service, "2026-03-12T12:10:00Z")
    assert service.results("2026-03-12T12:10:05Z") == {"prepared": 1, "served": 1}
