"""How a delivery run is asked to end, and what becomes of messages that are under way."""

import asyncio
import sys
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from digest.errors import Interrupted
from digest.model.delivery import Accepted, DeliveryState, Outcome, Reply
from digest.publishing.delivery.cancellation import GRACE, CancelReason, CancelToken
from digest.publishing.delivery.run import Report
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import no_precommit
from tests.publishing.paper import Paper
from tests.recording_transport import RecordingTransport

READERS = ["even@example.com", "odd@example.com", "late@example.com"]


class HandClock:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def daily(paper: Paper) -> Paper:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    return paper


def test_a_pause_that_becomes_an_end_is_an_end_and_not_the_other_way_round() -> None:
    token = CancelToken()
    token.cancel(CancelReason.TIME_SLICE_OVER)
    assert token.reason is not None
    assert token.reason.is_pause
    token.cancel(CancelReason.SHUTDOWN)
    token.cancel(CancelReason.STOPPED_BY_EDITOR)
    token.cancel(CancelReason.NEXT_SLOT_DUE)
    assert CancelReason(token.reason) is CancelReason.SHUTDOWN
    assert [reason.name for reason in CancelReason if reason.is_pause] == [
        "TIME_SLICE_OVER",
        "NEXT_SLOT_DUE",
        "LEASE_LOST",
    ]


def test_messages_that_wait_are_called_off_a_while_after_the_run_was_asked_to_end() -> None:
    async def waiting(seconds: float) -> bool:
        message = asyncio.create_task(asyncio.sleep(60))
        token.begin(message)
        steady.now += seconds
        token.check()
        await asyncio.sleep(0)
        return not message.cancelled() and not message.cancelling()

    steady = HandClock()
    token = CancelToken(steady=steady)
    assert asyncio.run(waiting(2 * GRACE)), "nobody has asked"
    token.cancel(CancelReason.TIME_SLICE_OVER)
    assert asyncio.run(waiting(GRACE - 0.1))
    assert not asyncio.run(waiting(0.1))


class Waiting(RecordingTransport):
    """Waits before the final dot of even messages, and after the one of odd ones."""

    def __init__(self, when_both_wait: Callable[[], None]) -> None:
        super().__init__(connections=2)
        self._when_both_wait = when_both_wait
        self._continue = asyncio.Event()
        self._waiting = 0

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one."""
        is_odd = "odd" in envelope.rcpt_to
        if is_odd:
            before_commit()
        self._waiting += 1
        if self._waiting == 2:
            asyncio.get_running_loop().call_soon(self._when_both_wait)
            asyncio.get_running_loop().call_later(0.1, self._continue.set)
        await self._continue.wait()
        if not is_odd:
            before_commit()
        return Accepted(reply=Reply(code=250, text="ok"))


def test_only_what_has_not_had_its_final_dot_is_called_off(daily: Paper) -> None:
    def call_off() -> None:
        token.cancel(CancelReason.SHUTDOWN)
        token.call_off()
        token.call_off()

    token = CancelToken()
    report = daily.send(Waiting(call_off), cancel=token)
    assert isinstance(report, Report)
    assert report.interrupted
    assert list(daily.states().values()) == ["queued", "sent", "queued"]
    assert daily.value("select sum(attempts) from deliveries") == 1, "a call-off is no attempt"


def test_who_is_cancelled_by_somebody_else_is_cancelled(daily: Paper) -> None:
    def call_off_and_abort() -> None:
        token.call_off()
        token.abort()

    token = CancelToken()
    with pytest.raises(Interrupted, match=r"stopped at once: No\. 1 of daily is not finished"):
        daily.send(Waiting(call_off_and_abort), cancel=token)
    assert list(daily.states().values()) == ["queued", "unknown", "queued"]


def test_a_shutdown_before_anything_is_begun_waits_for_nothing(daily: Paper) -> None:
    noticed: list[str] = []
    token = CancelToken(on_shutdown=lambda: noticed.append("noticed"))
    token.shut_down()
    with pytest.raises(Interrupted):
        daily.send(RecordingTransport(), cancel=token)
    assert set(daily.states().values()) == {"queued"}
    assert noticed == []


def test_a_run_that_only_pauses_was_not_interrupted(daily: Paper) -> None:
    token = CancelToken(check=lambda: CancelReason.TIME_SLICE_OVER)
    report = daily.send(Waiting(lambda: None), cancel=token)
    assert isinstance(report, Report)
    assert report.cancelled is CancelReason.TIME_SLICE_OVER
    assert not report.interrupted
    assert report.counts[DeliveryState.QUEUED] >= 1


def test_an_error_of_the_check_ends_the_run_in_order_and_is_raised(daily: Paper) -> None:
    def check() -> None:
        raise ZeroDivisionError

    token = CancelToken(check=check)
    with pytest.raises(ZeroDivisionError):
        daily.send(Waiting(lambda: None), cancel=token)
    assert token.reason is CancelReason.CHECK_FAILED
    assert "unknown" not in daily.states().values()
    assert "sending" not in daily.states().values()


def test_a_shutdown_may_be_asked_for_in_the_middle_of_anything() -> None:
    token, asked = CancelToken(), [0]

    def handler(frame: FrameType, event: str, argument: object) -> object:
        """Where Python handles signals, and everywhere else: between any two steps."""
        del event, argument
        frame.f_trace_opcodes = True
        asked[0] += 1
        if asked[0] < 2000:  # each makes the event loop do more, which is interrupted as well
            token.shut_down()
        return handler

    async def run() -> None:
        with token.run():
            token.sending = True
            sys.settrace(handler)  # type: ignore[arg-type]  # what it returns is itself
            await asyncio.sleep(0)
            token.check()
            await asyncio.sleep(0)
            sys.settrace(None)

    running = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    running.start()
    running.join(60)
    assert not running.is_alive(), "it waits for itself"
    assert token.reason is CancelReason.SHUTDOWN
    assert asked[0] > 50
