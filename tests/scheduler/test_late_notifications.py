"""What happened long ago is told when it is found out."""

from datetime import timedelta
from pathlib import Path

from digest.lib.timestamps import from_text
from digest.model.schedule import Timing
from digest.publishing.notifications.mail import send_notifications
from digest.storage.notifications import Notification
from tests.scheduler.ticking import service_in


def test_a_slot_that_was_missed_longer_than_a_week_ago_is_told_when_it_is_skipped(
    tmp_path: Path,
) -> None:
    timing = Timing(max_lateness=timedelta(days=1))
    service = service_in(tmp_path, "monthly on the 1st at 09:00", timing=timing)
    service.paper.subscribe("ada@example.com")
    service.tick("2026-03-01T10:00:00Z")
    service.tick("2026-04-12T07:00:00Z")
    assert service.slots() == {"2026-04-01T09:00": "skipped"}
    told: list[Notification] = []

    now = from_text("2026-04-12T07:00:05Z")
    send_notifications(
        service.paper.settings, now=now, transport=lambda: service.transport, on_new=told.append
    )

    assert [notice.event for notice in told] == ["skipped daily 2026-04-01T09:00"]
