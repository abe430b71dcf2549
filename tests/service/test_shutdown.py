"""Signals outside a delivery run; `tests/publishing/test_cancellation.py` has those inside one."""

import os
import signal
import time

import pytest

from digest.publishing.delivery.cancellation import CancelReason, CancelToken
from digest.service.shutdown import Shutdown


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_has_no_run_under_way_is_interrupted(number: signal.Signals) -> None:
    shutdown = Shutdown()
    shutdown.attach(CancelToken())
    with shutdown.on_signals(), pytest.raises(KeyboardInterrupt):
        kill(number)
    assert shutdown.requested
    assert not shutdown.at_once


def test_a_service_is_woken_by_the_first_signal_and_interrupted_by_the_second() -> None:
    woken: list[str] = []
    shutdown = Shutdown(timeout=60, when_idle=lambda: woken.append("woken"))
    with shutdown.on_signals():
        kill(signal.SIGTERM)
        assert (shutdown.requested, shutdown.at_once) == (True, False)
        with pytest.raises(KeyboardInterrupt):
            kill(signal.SIGTERM)
    assert shutdown.at_once
    assert woken == ["woken"]


def test_a_token_that_is_made_after_the_signal_is_cancelled() -> None:
    shutdown = Shutdown(when_idle=lambda: None)
    with shutdown.on_signals():
        kill(signal.SIGINT)
        assert shutdown.attach(CancelToken()).reason is CancelReason.SHUTDOWN


def test_a_signal_between_the_making_of_a_token_and_its_run_cancels_it() -> None:
    shutdown = Shutdown(when_idle=lambda: None)
    with shutdown.on_signals():
        token = shutdown.attach(CancelToken())
        kill(signal.SIGTERM)
        assert token.reason is CancelReason.SHUTDOWN


def test_the_end_of_the_timeout_is_obeyed_at_once() -> None:
    shutdown = Shutdown(timeout=0.0, when_idle=lambda: None)
    with shutdown.on_signals():
        kill(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            time.sleep(60)
    assert shutdown.at_once


def test_a_hangup_is_what_the_process_makes_of_it() -> None:
    heard: list[str] = []
    shutdown = Shutdown(on_hangup=lambda: heard.append("reload"))
    with shutdown.on_signals():
        kill(signal.SIGHUP)
        kill(signal.SIGHUP)
    assert heard == ["reload", "reload"]
    assert not shutdown.requested


def test_handlers_from_before_are_restored() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    with Shutdown(timeout=60).on_signals():
        assert [signal.getsignal(number) for number in numbers] != before
    assert [signal.getsignal(number) for number in numbers] == before
