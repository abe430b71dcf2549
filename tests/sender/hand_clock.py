"""A clock that a test turns by hand, so that nobody waits for rates."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")


class Timer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    """`finish` runs a coroutine, and moves on to the next timer whenever nothing else happens."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (self.now + delay, next(self._numbers), timer))
        return timer

    @property
    def pending(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._timers)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        while not await self._settled(task):
            self._next()
        return await task

    async def _settled(self, task: "asyncio.Task[T]") -> bool:
        """Let everything happen that can; whether the work is done then."""
        loop: Any = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready and not task.done():
            await asyncio.sleep(0)
        return task.done()

    def _next(self) -> None:
        while True:
            assert self._timers, "everybody waits, and for nothing"
            at, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                self.now = max(self.now, at)
                timer.callback()
                return
