import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from digest.sender import event_loop
from digest.sender.protocol import DeadlineTimer
from tests.sender.silence import LONG_ENOUGH

Run = Callable[[Coroutine[Any, Any, None]], None]


def test_a_short_wait_after_a_long_one_is_short(run: Run) -> None:
    async def main() -> None:
        expired = asyncio.Event()
        timer = DeadlineTimer(expired.set)
        timer.set(600)
        timer.clear()
        timer.set(0.01)
        async with asyncio.timeout(LONG_ENOUGH):
            await expired.wait()

    run(main())


def test_a_wait_that_is_put_off_is_not_over(run: Run) -> None:
    async def main() -> None:
        begun = time.monotonic()
        expired = asyncio.Event()
        timer = DeadlineTimer(expired.set)
        for seconds in (0.01, 0.02, 0.1):
            timer.set(seconds)
        async with asyncio.timeout(LONG_ENOUGH):
            await expired.wait()
        assert time.monotonic() - begun >= 0.1

    run(main())


def test_what_is_cleared_or_disposed_of_never_expires(run: Run) -> None:
    async def main() -> None:
        wrong, last = asyncio.Event(), asyncio.Event()
        cleared, disposed = DeadlineTimer(wrong.set), DeadlineTimer(wrong.set)
        for timer in (cleared, disposed, DeadlineTimer(last.set)):
            timer.set(0.01)
        cleared.clear()
        disposed.dispose()
        async with asyncio.timeout(LONG_ENOUGH):
            await last.wait()
        assert not wrong.is_set()

    run(main())


def test_uvloop_runs_what_is_sent_where_it_is_installed() -> None:
    async def name() -> str:
        return type(asyncio.get_running_loop()).__module__

    try:
        import uvloop
    except ImportError:
        assert event_loop.run(name()).startswith("asyncio")
    else:
        assert event_loop.run(name()) == uvloop.Loop.__module__
