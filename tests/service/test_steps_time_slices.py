"""Time slices of delivery runs, and what is logged of things that happen again and again."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.config.settings import LogForm
from digest.errors import RelayUnavailable, TemplateError
from digest.publishing.delivery.cancellation import CancelReason
from digest.scheduler.events import ClockWentBack, Event, StepFailed
from digest.service.log import Log
from digest.service.reporter import Reporter
from digest.service.state import ServiceState
from digest.service.steps import TimeSlice
from digest.storage.locks import Lease

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)


class HandClock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_run_ends_with_its_time_slice_or_when_it_may_not_continue(tmp_path: Path) -> None:
    steady, time, lease = HandClock(), [NOW], Lease(tmp_path / "subscribers.db")
    lease.take(NOW)
    time_slice = TimeSlice(
        ends_at=steady.now + 60,
        next_slot=NOW + timedelta(minutes=5),
        lease=lease,
        now=lambda: time[0],
        steady=steady,
    )
    assert time_slice.over() is None
    steady.now += 59
    assert time_slice.over() is None
    time[0] += timedelta(minutes=5)
    assert time_slice.over() is CancelReason.NEXT_SLOT_DUE
    time[0] = NOW
    lease.release()
    assert time_slice.over() is CancelReason.LEASE_LOST
    lease.take(NOW)
    assert time_slice.over() is None
    steady.now += 1
    assert time_slice.over() is CancelReason.TIME_SLICE_OVER


def events(stream: io.StringIO) -> list[str]:
    return [line.split()[2] for line in stream.getvalue().splitlines()]


def test_what_stays_as_it_is_is_told_once_and_again_when_it_comes_back() -> None:
    stream, standing = io.StringIO(), ServiceState()
    reporter = Reporter(Log(LogForm.TEXT, lambda: NOW, stream=stream), standing)
    trouble = StepFailed(newsletter="daily", error=TemplateError("no such filter"))
    back = ClockWentBack(newsletter="daily", by=timedelta(days=1))
    ticks: list[list[Event]] = [[trouble, back], [trouble, back], [], [trouble]]
    for told in ticks:
        reporter.tick_begins()
        for event in told:
            reporter.report(event)
        reporter.tick_ended()
    assert events(stream) == ["newsletter-failed", "clock-went-back", "newsletter-failed"]
    assert standing.errors["newsletter-failed"] == 3


def test_another_failure_of_the_same_kind_is_news() -> None:
    stream = io.StringIO()
    reporter = Reporter(Log(LogForm.TEXT, lambda: NOW, stream=stream), ServiceState())
    for message in ("locked", "locked", "the disk is full"):
        reporter.failed("tick-failed", RelayUnavailable(message))
    reporter.succeeded("tick-failed")
    reporter.succeeded("tick-failed")
    assert events(stream) == ["tick-failed", "tick-failed", "recovered"]
