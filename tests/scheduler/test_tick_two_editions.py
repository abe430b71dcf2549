"""Two editions under way at once: the west still waits for one, the east has the next."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from digest.lib.timestamps import from_text
from digest.model.schedule import DeliverAt, Timing
from digest.publishing.backup import accept_restored, create_backup
from digest.publishing.delivery.run import Report
from digest.publishing.maintenance import audit
from digest.publishing.send import UnknownPolicy, resume, stop
from tests.scheduler.ticking import Service, service_in

NIGHT = "2026-03-12T17:30:00Z"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """When No. 2 has just gone to the east, and No. 1 not yet to the far west."""
    service = service_in(tmp_path, "daily at 07:00", timing=Timing(deliver_at=DeliverAt.READER))
    service.paper.publish("Harbour wall to be rebuilt", hours=20)
    zones = {"east": "Pacific/Kiritimati", "west": "Pacific/Pago_Pago"}
    service.paper.subscribe(*(f"{name}@example.com" for name in zones))
    for name, zone in zones.items():
        service.paper.run(
            "update subscribers set timezone = ? where email = ?", zone, f"{name}@example.com"
        )
    service.tick("2026-03-11T12:00:00Z")
    service.tick("2026-03-11T17:00:00Z")
    service.paper.publish("News of the next day", hours=-8)
    service.tick("2026-03-12T17:00:00Z")
    assert service.received() == ["east@example.com", "east@example.com"]
    return service


def stop_all(service: Service) -> None:
    stopped = stop(service.paper.settings, service.newsletter, now=from_text(NIGHT))
    assert [edition.number for edition in stopped] == [1, 2]


def go_on(service: Service) -> int:
    now = from_text(NIGHT) + timedelta(minutes=5)
    report = resume(
        service.paper.settings,
        service.newsletter,
        service.transport,
        clock=lambda: now,
        progress=lambda _plan: lambda _state: None,
    )
    assert isinstance(report, Report)
    return report.edition.number


def test_an_emergency_stop_stops_both(service: Service) -> None:
    stop_all(service)
    service.tick("2026-03-12T18:00:00Z")
    service.tick("2026-03-13T18:00:00Z")

    assert "west@example.com" not in service.received()
    assert audit(service.paper.settings).breaches == ()


def test_they_are_resumed_one_after_the_other_the_older_first(service: Service) -> None:
    stop_all(service)

    assert go_on(service) == 1
    assert go_on(service) == 2
    service.tick("2026-03-12T18:00:00Z")
    assert service.received().count("west@example.com") == 1
    service.tick("2026-03-13T18:00:00Z")
    assert service.received().count("west@example.com") == 2
    assert audit(service.paper.settings).breaches == ()


def test_who_is_in_doubt_is_settled_in_the_edition_that_they_are_in_doubt_of(
    service: Service,
) -> None:
    service.paper.run(
        "update deliveries set state = 'unknown', reply = 'the line was lost', attempts = 1,"
        " finished_at = '2026-03-12T17:20:00Z', due_at = null where id = 2"
    )
    now = from_text(NIGHT)
    report = resume(
        service.paper.settings,
        service.newsletter,
        service.transport,
        unknown=UnknownPolicy.DROP,
        clock=lambda: now,
        progress=lambda _plan: lambda _state: None,
    )

    assert isinstance(report, Report)
    assert report.edition.number == 1
    assert service.paper.value("select state from deliveries where id = 2") == "withheld"


def test_a_backup_that_was_put_back_does_not_mail_the_east_again(
    service: Service, tmp_path: Path
) -> None:
    copy, settings = tmp_path / "copy.db", service.paper.settings
    service.paper.publish("News of the day after", hours=-30)
    create_backup(settings, copy, now=from_text("2026-03-13T16:59:00Z"))
    service.tick("2026-03-13T17:00:00Z")
    assert service.received().count("east@example.com") == 3
    for left in tmp_path.glob("subscribers.db-*"):
        left.unlink()
    shutil.copy(copy, settings.database)

    accept_restored(settings, now=from_text("2026-03-13T20:00:00Z"))
    service.tick("2026-03-13T20:00:05Z")
    assert service.received().count("east@example.com") == 3
    service.tick("2026-03-14T17:00:00Z")
    assert "2026-03-15T07:00" in service.slots()
    assert audit(settings).breaches == ()
