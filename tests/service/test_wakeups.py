"""The clock that wakes the service, and clocks that somebody sets."""

import queue
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import pytest
import time_machine

import digest
from digest.service.wakeups import ClockJump, WakeQueue, WakeReason, WakeupTimer

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
DAY = timedelta(days=1)


def test_wake_reasons_are_taken_once_each() -> None:
    wake_queue = WakeQueue()
    wake_queue.add(WakeReason.TICK)
    wake_queue.add(WakeReason.TICK)
    wake_queue.add(WakeReason.INGEST)
    wake_queue.wait(60)
    assert wake_queue.take() == {WakeReason.TICK, WakeReason.INGEST}
    assert wake_queue.take() == frozenset()
    wake_queue.wake()
    wake_queue.wait(60)
    assert wake_queue.take() == frozenset()


def test_a_signal_may_come_in_the_middle_of_anything() -> None:
    wake_queue, came, taken = WakeQueue(), [0], set[WakeReason]()

    def handler(frame: FrameType, event: str, argument: object) -> object:
        """Where Python looks for signals, and everywhere else: between any two steps."""
        del event, argument
        frame.f_trace_opcodes = True
        came[0] += 1
        wake_queue.wake()
        return handler

    def main_loop() -> None:
        sys.settrace(handler)  # type: ignore[arg-type]  # what it returns is itself
        wake_queue.add(WakeReason.TICK)
        wake_queue.wait(60)
        wake_queue.wait(60)
        taken.update(wake_queue.take())
        sys.settrace(None)

    running = threading.Thread(target=main_loop, daemon=True)
    running.start()
    running.join(60)
    assert not running.is_alive(), "it waits for itself"
    assert taken == {WakeReason.TICK}
    assert came[0] > 50


@pytest.fixture
def made() -> Iterator[tuple[WakeupTimer, "queue.SimpleQueue[WakeReason]"]]:
    heard: queue.SimpleQueue[WakeReason] = queue.SimpleQueue()
    clock = WakeupTimer(heard.put, ingest_every=timedelta(seconds=1))
    clock.start()
    yield clock, heard
    clock.stop()


def test_the_timer_asks_for_readings_and_ticks(
    made: tuple[WakeupTimer, "queue.SimpleQueue[WakeReason]"],
) -> None:
    _, heard = made
    expected = {WakeReason.INGEST, WakeReason.TICK}
    while expected:  # the house is kept once a day, and this may be the minute
        expected.discard(heard.get(timeout=60))


def test_a_clock_that_was_set_back_by_a_day_wakes_us_when_it_is_set_again(
    made: tuple[WakeupTimer, "queue.SimpleQueue[WakeReason]"],
) -> None:
    clock, heard = made
    heard.get(timeout=60)
    with time_machine.travel(datetime.now(UTC) - DAY, tick=True):
        clock.restart(ingest_every=timedelta(seconds=1))
        while not heard.empty():
            heard.get()
        while heard.get(timeout=60) is not WakeReason.TICK:
            pass


def test_time_that_goes_by_is_no_clock_jump() -> None:
    drift = ClockJump()
    assert drift.step(NOW, 500.0) is None
    assert drift.step(NOW + timedelta(seconds=5), 505.0) is None
    assert drift.step(NOW + timedelta(hours=9), 500.0 + 9 * 3600 - 2) is None


@pytest.mark.parametrize("by", [DAY, -DAY, timedelta(seconds=31)])
def test_a_clock_that_is_set_is_noticed_once(by: timedelta) -> None:
    drift = ClockJump()
    drift.step(NOW, 0.0)
    assert drift.step(NOW + timedelta(seconds=5) + by, 5.0) == by
    assert drift.step(NOW + timedelta(seconds=10) + by, 10.0) is None


def test_many_small_steps_are_noticed_together() -> None:
    drift = ClockJump()
    steps = [drift.step(NOW + timedelta(seconds=10 * n), 0.0) for n in range(5)]
    assert steps == [None, None, None, timedelta(seconds=30), None]


def test_wakeups_is_the_only_module_that_knows_apscheduler() -> None:
    found = [
        path.name
        for path in Path(digest.__file__).parent.rglob("*.py")
        if re.search(
            r"^ *(from|import) apscheduler", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert found == ["wakeups.py"]
