"""Ending: signals, and everything else that ends a round of delivery before it is through.

The first SIGTERM or Ctrl-C asks for an end in order, for which there are `timeout` seconds. The
second one, or the end of that time, is obeyed at once. SIGHUP is a wish to read the settings anew.
Nothing is logged here: a signal may come in the middle of writing a line.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from digest.publishing.delivery.report import CancelToken
from digest.service.wakeups import WakeQueue, WakeReason

#: Seconds between two looks at whether a round should go on.
_LOOK: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Round:
    stop: CancelToken
    task: "asyncio.Task[Any]"
    loop: asyncio.AbstractEventLoop


class Shutdown:
    """Whether we are to end, and how. Made and used in the main thread."""

    def __init__(self, wishes: WakeQueue, *, timeout: float) -> None:
        self.requested = False
        #: The end in order was not waited for: somebody may be in doubt.
        self.at_once = False
        self.timeout = timeout
        self._wishes = wishes
        self._round: _Round | None = None

    @contextmanager
    def handling(self) -> Iterator[None]:
        """See to signals. What was done with them before is restored afterwards."""
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
            signal.SIGINT: self._on_signal,
            signal.SIGTERM: self._on_signal,
            signal.SIGALRM: self._on_alarm,
            signal.SIGHUP: self._on_hangup,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def of_round(self, stop: CancelToken, *, look: Callable[[], bool]) -> Iterator[None]:
        """End a round when we are to end; `look` is asked twice a second whether it may go on.

        Where it may not, the round rests: others have their turn, and it goes on later. An error of
        `look` ends the round in order and is raised afterwards. Entered in the round's event loop.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a round runs in a task of an event loop")
        self._round = _Round(stop, task, asyncio.get_running_loop())
        watch = asyncio.create_task(_watch(stop, look))
        if self.requested:
            self._end_round()
        try:
            yield
        finally:
            self._round = None
            watch.cancel()
            if watch.done() and not watch.cancelled() and (error := watch.exception()):
                raise error

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested:
            self._end_at_once()
            return
        self.requested = True
        signal.setitimer(signal.ITIMER_REAL, max(self.timeout, 0.1))
        self._wishes.wake()
        if self._round is not None:
            # The event loop may be in the middle of anything.
            self._round.loop.call_soon_threadsafe(self._end_round)

    def _on_alarm(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._end_at_once()

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._wishes.add(WakeReason.RELOAD)

    def _end_round(self) -> None:
        if self._round is None:
            return
        if not self._round.stop.begun:
            # Nothing can be in doubt yet: there is no need to wait for a server that is silent.
            self._round.task.cancel()
        self._round.stop.request()

    def _end_at_once(self) -> None:
        self.at_once = True
        if self._round is None:
            raise KeyboardInterrupt
        self._round.loop.call_soon_threadsafe(self._round.task.cancel)


async def _watch(stop: CancelToken, look: Callable[[], bool]) -> None:
    try:
        while True:
            if not look():
                stop.rest()
            await asyncio.sleep(_LOOK)
    except Exception:
        stop.request()
        raise
