"""Stopping one newsletter stops no other."""

from dataclasses import replace
from pathlib import Path

from digest.model.delivery import Outcome
from digest.publishing.send import stop
from digest.sender.message_data import Envelope
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import ACCEPTED, RecordingTransport
from tests.scheduler.ticking import service_in


def test_a_stop_of_one_newsletter_keeps_no_other_from_its_hour(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall to be rebuilt")
    service.paper.subscribe("ada@example.com", "bob@example.com")
    daily, settings = service.newsletter, service.paper.settings
    evening = replace(daily, key="evening")
    service.paper.run(
        "insert into subscriptions (subscriber_id, newsletter, state, topics, since, token)"
        " values (1, 'evening', 'active', '[]', '2026-03-01T00:00:00Z', 'another-token')"
    )

    def stops(envelope: Envelope, message: bytes) -> Outcome:
        stop(settings, daily, now=NOW)
        return ACCEPTED

    service.transport = RecordingTransport(stops)
    both = {one.key: one for one in (daily, evening)}
    service.paper = Paper(replace(settings, newsletters=both))
    service.tick("2026-03-12T06:00:00Z")

    summary = service.tick("2026-03-12T07:00:00Z")

    assert not summary.interrupted
    assert service.received() == ["ada@example.com"]
    assert service.paper.value("select group_concat(newsletter) from editions") == "daily,evening"
