"""Short waits for a server that falls silent, on a machine that may have no time for us either."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.faults.script import Action, Hang, Stall

Run = Callable[[Coroutine[Any, Any, None]], None]

#: A trial of a server, by the seconds that it is waited for.
Trial = Callable[[float], Coroutine[Any, Any, None]]

#: Seconds that a silent server is waited for: the shortest will do, unless the machine is busy.
_SHORT = (0.1, 1.0)
_LONG = 20.0

#: Seconds that any other server is waited for, who does not take as long on any machine.
LONG_ENOUGH = 300.0

_INTERVAL = 0.01


class StallMeter:
    """Adds up for how many seconds the event loop did not get its turn, while some work runs."""

    def __init__(self) -> None:
        self.missed = 0.0

    async def during(self, work: Coroutine[Any, Any, None]) -> None:
        ticking = asyncio.create_task(self._tick())
        try:
            await work
        finally:
            ticking.cancel()

    async def _tick(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(_INTERVAL)
            self.missed += time.monotonic() - begun - _INTERVAL


def in_silence(run: Run, trial: Trial) -> None:
    """Run a trial of a server that falls silent.

    Who is held up for as long as that sees a silence where there is none. What fails then has shown
    nothing, and is tried again with more time; what fails otherwise has failed.
    """
    for timeout in _SHORT:
        meter = StallMeter()
        try:
            run(meter.during(trial(timeout)))
        except (Exception, pytest.fail.Exception):
            if meter.missed < timeout / 2:
                raise
        else:
            return
    run(trial(_LONG))


def in_time(run: Run, trial: Trial, action: Action) -> None:
    """Run a trial of a server that does this: waited for a moment only where that is the point."""
    if isinstance(action, Hang | Stall):
        in_silence(run, trial)
    else:
        run(trial(LONG_ENOUGH))
