"""Cancellation: how a delivery run is asked to end before everybody is served.

It is cooperative, as with the cancellation tokens of .NET or the contexts of Go: the token is
passed down to the workers, which look at it between two messages. What is under way is finished.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

#: Seconds that messages under way have to get to their final dot once the run is to end. One that a
#: rate limit keeps waiting is called off then; one that has had its dot is waited for.
GRACE: Final = 5.0

#: Seconds between two checks of whether a run may continue.
_CHECK_EVERY: Final = 0.5

#: A message of a run is carried in a task of its own.
Carrier = asyncio.Task[Any]


class CancelReason(IntEnum):
    """Why a run is to end. The reasons are in order: a later one replaces an earlier one.

    TIME_SLICE_OVER, NEXT_SLOT_DUE and LEASE_LOST are pauses: the edition continues with a later
    tick. STOPPED_BY_EDITOR is `digest stop`, CHECK_FAILED an error while it was checked whether
    the run may continue, SHUTDOWN the end of the process.
    """

    TIME_SLICE_OVER = 1
    NEXT_SLOT_DUE = 2
    LEASE_LOST = 3
    STOPPED_BY_EDITOR = 4
    CHECK_FAILED = 5
    SHUTDOWN = 6

    @property
    def is_pause(self) -> bool:
        """Whether the edition continues by itself, after others have had their turn."""
        return self <= CancelReason.LEASE_LOST


class CancelToken:
    """Asks the delivery runs that it is passed to, one after the other, to end.

    `check` is asked twice a second during a run, in its event loop, for a reason to end it; None
    lets it continue. `on_shutdown` is called there when a shutdown has to wait for messages under
    way. `steady` is a clock in seconds that only goes forward.
    """

    def __init__(
        self,
        *,
        check: Callable[[], CancelReason | None] = lambda: None,
        on_shutdown: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reason: CancelReason | None = None
        #: The run that is under way.
        self.task: asyncio.Task[Any] | None = None
        #: Whether messages may be under way: before that, a shutdown need not wait for anything.
        self.sending = False
        self._check = check
        self._on_shutdown = on_shutdown
        self._steady = steady
        self._cancelled_at = 0.0
        self._uncommitted: set[Carrier] = set()
        self._called_off: set[Carrier] = set()

    def cancel(self, reason: CancelReason) -> None:
        """Ask the run to end in order: messages under way are finished, no other is begun."""
        if self.reason is None:
            self._cancelled_at = self._steady()
        if self.reason is None or reason > self.reason:
            self.reason = reason

    def shut_down(self) -> None:
        """Cancel because the process is to end. Safe in a signal handler: it takes no lock."""
        self._in_event_loop(self._shut_down)

    def abort(self) -> None:
        """End the run at once: what is in doubt stays so. Safe in a signal handler."""
        self._in_event_loop(self._cancel_run)

    @contextmanager
    def run(self) -> Iterator[None]:
        """One delivery run, in its own task. An error of `check` ends it, and is raised."""
        self.task = asyncio.current_task()
        self.sending = False
        watcher = asyncio.create_task(self._watch())
        if self.reason is not None:
            self._cancel_run()
        try:
            yield
        finally:
            self.task = None
            watcher.cancel()
            if watcher.done() and not watcher.cancelled() and (error := watcher.exception()):
                raise error

    def check(self) -> None:
        """Cancel where there is a reason; after GRACE seconds, call off what holds up the end."""
        if (reason := self._check()) is not None:
            self.cancel(reason)
        if self.reason is not None and self._steady() >= self._cancelled_at + GRACE:
            self.call_off()

    # --- messages: what surely was not sent may be called off, however long a limit holds it ---

    def begin(self, carrier: Carrier) -> None:
        """A message is handed over in this task."""
        self._uncommitted.add(carrier)

    def commit(self, carrier: Carrier) -> None:
        """Its final dot is about to be written, or it is over: it cannot be called off any more."""
        self._uncommitted.discard(carrier)

    def call_off(self) -> None:
        """Call off every message that has not come to its final dot."""
        self._called_off |= self._uncommitted
        for carrier in self._uncommitted:
            carrier.cancel()
        self._uncommitted.clear()

    def was_called_off(self, carrier: Carrier) -> bool:
        """Whether its cancellation was a call-off, and nothing else: then it is undone."""
        called_off = carrier in self._called_off
        self._called_off.discard(carrier)
        return called_off and carrier.uncancel() == 0

    def _in_event_loop(self, act: Callable[[], None]) -> None:
        if self.task is None:
            act()
        else:
            # A signal may come in the middle of anything that the event loop does.
            self.task.get_loop().call_soon_threadsafe(act)

    def _shut_down(self) -> None:
        if self.reason is not CancelReason.SHUTDOWN:
            self.cancel(CancelReason.SHUTDOWN)
            if self.sending:
                self._on_shutdown()
        if not self.sending:
            # Nothing can be in doubt yet: there is no need to wait for a server that is silent.
            self._cancel_run()

    def _cancel_run(self) -> None:
        if self.task is not None:
            self.task.cancel()

    async def _watch(self) -> None:
        try:
            while True:
                self.check()
                await asyncio.sleep(_CHECK_EVERY)
        except Exception:
            self.cancel(CancelReason.CHECK_FAILED)
            raise
