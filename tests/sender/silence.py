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

_BEAT = 0.01


class Pulse:
    """Adds up for how many seconds the event loop beside which it beats did not get its turn."""

    def __init__(self) -> None:
        self.missed = 0.0

    async def beside(self, work: Coroutine[Any, Any, None]) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            await work
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(_BEAT)
            self.missed += time.monotonic() - begun - _BEAT


def in_silence(run: Run, trial: Trial) -> None:
    """Run a trial of a server that falls silent.

    Who is held up for as long as that sees a silence where there is none. What fails then has shown
    nothing, and is tried again with more time; what fails otherwise has failed.
    """
    for timeout in _SHORT:
        pulse = Pulse()
        try:
            run(pulse.beside(trial(timeout)))
        except (Exception, pytest.fail.Exception):
            if pulse.missed < timeout / 2:
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
