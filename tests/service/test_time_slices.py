"""Turns of rounds, and what is told of things that happen again and again."""

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from digest.config.settings import LogForm
from digest.errors import RelayUnavailable, TemplateError
from digest.model.delivery import Accepted, Outcome, Reply
from digest.publishing.delivery.precommit import DeliveryRevoked
from digest.publishing.delivery.report import CancelToken
from digest.scheduler.events import ClockWentBack, Event, StepFailed
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import no_precommit
from digest.service.counting_transport import CountingTransport
from digest.service.log import Log
from digest.service.reporter import Reporter
from digest.service.state import ServiceState
from digest.service.steps import GRACE, TimeSlice
from tests.recording_transport import RecordingTransport

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)


class HandClock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_turn_ends_with_its_time_or_when_it_may_not_go_on() -> None:
    steady, may = HandClock(), [True]
    called: list[float] = []
    turn = TimeSlice(
        CancelToken(),
        lasts=60,
        goes_on=lambda: may[0],
        call_off=lambda: called.append(steady.now),
        steady=steady,
    )
    assert turn.look()
    steady.now += 59
    assert turn.look()
    may[0] = False
    assert not turn.look()
    may[0] = True
    steady.now += 1
    assert not turn.look()
    assert called == []


def test_messages_that_wait_are_called_off_a_while_after_the_round_was_asked_to_end() -> None:
    steady, stop = HandClock(), CancelToken()
    called: list[float] = []
    turn = TimeSlice(
        stop,
        lasts=60,
        goes_on=lambda: True,
        call_off=lambda: called.append(steady.now),
        steady=steady,
    )
    stop.rest()
    turn.look()
    steady.now += GRACE - 0.1
    turn.look()
    assert called == []
    steady.now += 0.1
    turn.look()
    assert called == [steady.now]


def test_a_rest_that_becomes_an_end_is_an_end_and_not_the_other_way_round() -> None:
    stop = CancelToken()
    stop.rest()
    assert (stop.requested, stop.rests) == (True, True)
    stop.request()
    assert (stop.requested, stop.rests) == (True, False)
    stop.rest()
    assert not stop.rests


class Waiting(RecordingTransport):
    """Waits before the final dot of even messages, and after the one of odd ones."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.under_way = 0

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one."""
        self.under_way += 1
        if "even" in envelope.rcpt_to:
            await self.go_on.wait()
            before_commit()
        else:
            before_commit()
            await self.go_on.wait()
        return Accepted(reply=Reply(code=250, text="ok"))


def test_only_what_has_not_had_its_final_dot_is_called_off() -> None:
    async def carried() -> list[Outcome | BaseException]:
        transport = Waiting()
        carrier = CountingTransport(transport, counts)
        async with carrier:
            tasks = [
                asyncio.create_task(
                    carrier.send(Envelope(mail_from="a@example.com", rcpt_to=to), (b"x",))
                )
                for to in ("even@example.com", "odd@example.com")
            ]
            while transport.under_way < 2:
                await asyncio.sleep(0)
            carrier.call_off()
            carrier.call_off()
            await asyncio.wait([tasks[0]])
            transport.go_on.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    counts: Counter[str] = Counter()
    even, odd = asyncio.run(carried())
    assert isinstance(even, DeliveryRevoked)
    assert isinstance(odd, Accepted)
    assert counts == {"accepted": 1}


def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    async def carried() -> None:
        transport = Waiting()
        carrier = CountingTransport(transport, Counter())
        envelope = Envelope(mail_from="a@example.com", rcpt_to="even@example.com")
        task = asyncio.create_task(carrier.send(envelope, (b"x",)))
        while not transport.under_way:
            await asyncio.sleep(0)
        carrier.call_off()
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(carried())


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
            reporter.tell(event)
        reporter.tick_ended()
    assert events(stream) == ["newsletter-failed", "clock-went-back", "newsletter-failed"]
    assert standing.errors["newsletter-failed"] == 3


def test_another_failure_of_the_same_kind_is_news() -> None:
    stream = io.StringIO()
    reporter = Reporter(Log(LogForm.TEXT, lambda: NOW, stream=stream), ServiceState())
    for message in ("locked", "locked", "the disk is full"):
        reporter.failed("tick-failed", RelayUnavailable(message))
    reporter.went_well("tick-failed")
    reporter.went_well("tick-failed")
    assert events(stream) == ["tick-failed", "tick-failed", "well-again"]
