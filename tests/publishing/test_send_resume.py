"""Going on: after a stop, after Unknown outcomes, when the hour of the deferred has come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.errors import Held
from digest.model.delivery import Accepted, Deferred, DeliveryState, Outcome, Reply, Unknown
from digest.publishing.delivery.run import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.maintenance import audit
from digest.publishing.send import UnknownPolicy, resume, stop
from digest.sender.message_data import Envelope
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

READERS = ["ada@example.com", "ben@example.com", "cleo@example.org", "dan@example.org"]
OK = Accepted(reply=Reply(code=250, text="ok"))


def resumed(
    paper: Paper,
    *,
    unknown: UnknownPolicy = UnknownPolicy.HOLD,
    before_their_hour: bool = False,
    minutes: int = 0,
) -> tuple[Report | Skipped, list[str]]:
    """Resume to a recorder; what came of it, and who accepted a message."""
    transport = RecordingTransport()
    report = resume(
        paper.settings,
        paper.newsletter,
        transport,
        unknown=unknown,
        before_their_hour=before_their_hour,
        clock=lambda: NOW + timedelta(minutes=minutes),
        progress=lambda _plan: lambda state: None,
    )
    return report, [attempt.envelope.rcpt_to for attempt in transport.accepted]


@pytest.fixture
def daily(paper: Paper) -> Paper:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    return paper


def test_there_is_nothing_to_resume_without_an_edition_or_after_a_complete_one(
    daily: Paper,
) -> None:
    assert isinstance(resumed(daily)[0], Skipped)
    daily.sent()
    assert isinstance(resumed(daily)[0], Skipped)


def test_unknown_is_held_unless_the_owner_says_otherwise(daily: Paper) -> None:
    daily.send(RecordingTransport({READERS[1]: Unknown(reason="the line was lost")}))
    report, mailed = resumed(daily)
    assert mailed == []
    assert isinstance(report, Report)
    assert report.counts[DeliveryState.UNKNOWN] == 1
    assert resumed(daily, unknown=UnknownPolicy.RESEND)[1] == [READERS[1]]
    assert daily.value("select state from editions") == "sent"
    assert audit(daily.settings).breaches == ()


def test_unknown_can_be_left_for_good(daily: Paper) -> None:
    daily.send(RecordingTransport({READERS[1]: Unknown(reason="the line was lost")}))
    assert resumed(daily, unknown=UnknownPolicy.DROP)[1] == []
    assert daily.states()[READERS[1]] == "withheld"
    assert daily.value("select state from editions") == "sent"
    assert audit(daily.settings).breaches == ()


def test_deferred_readers_are_tried_when_their_hour_has_come_or_at_once_on_demand(
    daily: Paper,
) -> None:
    daily.send(RecordingTransport({READERS[2]: Deferred(reason="busy")}))
    daily.run(
        "update deliveries set next_attempt_at = '2026-03-12T07:30:00Z' where state = 'deferred'"
    )
    assert resumed(daily, minutes=29)[1] == []
    assert resumed(daily, minutes=30)[1] == [READERS[2]]


def test_now_does_not_wait_for_the_hour(daily: Paper) -> None:
    daily.send(RecordingTransport({READERS[2]: Deferred(reason="busy")}))
    daily.run(
        "update deliveries set next_attempt_at = '2026-03-12T07:30:00Z' where state = 'deferred'"
    )
    assert resumed(daily, before_their_hour=True)[1] == [READERS[2]]


def test_after_a_stop_nothing_more_leaves_until_somebody_resumes(daily: Paper) -> None:
    def stop_after_the_first(_envelope: Envelope, _message: bytes) -> Outcome:
        stop(daily.settings, daily.newsletter, now=NOW)
        return OK

    transport = RecordingTransport(stop_after_the_first)
    report = daily.send(transport)
    # The recorder answers before it asks whether it may: the first one was stopped in time, too.
    assert transport.accepted == []
    assert isinstance(report, Report)
    assert report.counts[DeliveryState.QUEUED] == 4
    assert report.edition.stopped
    with pytest.raises(Held, match="stopped"):
        daily.send(RecordingTransport())
    assert resumed(daily)[1] == READERS
    assert audit(daily.settings).breaches == ()


def test_stopping_needs_an_edition_that_is_under_way(daily: Paper) -> None:
    assert stop(daily.settings, daily.newsletter, now=NOW) == ()


def test_a_reader_who_is_suppressed_after_the_batch_was_claimed_is_not_mailed(
    daily: Paper,
) -> None:
    def suppress_the_last(_envelope: Envelope, _message: bytes) -> Outcome:
        daily.run(
            "insert or ignore into suppressions (hash, email, reason, since)"
            " values (x'02', 'dan@example.org', 'asked', '2026-03-01T00:00:00Z')"
        )
        return OK

    transport = RecordingTransport(suppress_the_last)
    daily.send(transport)
    assert [a.envelope.rcpt_to for a in transport.accepted] == READERS[:3]
    assert daily.states()["dan@example.org"] == "withheld"
    assert audit(daily.settings).breaches == ()


def test_two_newsletters_do_not_resume_each_others_editions(daily: Paper) -> None:
    other = replace(daily.newsletter, key="weekly")
    both = Paper(replace(daily.settings, newsletters={"daily": daily.newsletter, "weekly": other}))
    transport = RecordingTransport()
    report = resume(
        both.settings,
        other,
        transport,
        clock=lambda: NOW,
        progress=lambda _plan: lambda state: None,
    )
    assert isinstance(report, Skipped)
    assert transport.attempts == []


def test_a_deferred_reader_has_an_hour_and_is_given_up_after_some_days(daily: Paper) -> None:
    full = Deferred(reason="full", reply=Reply(code=452, text="mailbox full"))
    daily.send(RecordingTransport({READERS[2]: full}))
    first = daily.value("select next_attempt_at from deliveries where state = 'deferred'")
    assert "2026-03-12T07:04" <= str(first) <= "2026-03-12T07:08"
    for days in (1, 2, 4):
        resume(
            daily.settings,
            daily.newsletter,
            RecordingTransport({READERS[2]: full}),
            clock=lambda days=days: NOW + timedelta(days=days),  # type: ignore[misc]
            progress=lambda _plan: lambda state: None,
        )
    assert daily.states()[READERS[2]] == "rejected"
    reply = str(daily.value("select reply from deliveries where state = 'rejected'"))
    assert reply.startswith("given up: tried 4 times since 2026-03-12 07:00")
    assert reply.endswith("452 mailbox full")
    assert audit(daily.settings).breaches == ()


def test_an_emergency_stop_without_a_name_stops_all_newsletters(daily: Paper) -> None:
    weekly = replace(daily.newsletter, key="weekly")
    settings = replace(daily.settings, newsletters={"daily": daily.newsletter, "weekly": weekly})
    daily.run(
        "insert into subscriptions (subscriber_id, newsletter, state, topics, since, token)"
        " select id, 'weekly', 'active', '[]', '2026-03-01T00:00:00Z', 'w' || id from subscribers"
    )
    for newsletter in (daily.newsletter, weekly):
        one = Paper(replace(settings, newsletters={newsletter.key: newsletter}))
        one.send(RecordingTransport({READERS[0]: Deferred(reason="later")}))

    stopped = stop(settings, now=NOW)

    assert [edition.newsletter for edition in stopped] == ["daily", "weekly"]
