"""An alarm: one timer for a connection, however many waits it guards."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

#: Seconds. What arrived while the event loop was busy is read before the alarm rings in earnest.
_GRACE: Final = 0.02


class Alarm:
    """Calls `ring` where a deadline passes.

    Setting and clearing a deadline is nearly free: the timer stays as it is, and looks at the
    deadline when it goes off. Waits of a millisecond are guarded by deadlines of minutes, so it
    rarely does.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._goes_off_at = 0.0
        self._late = False

    def set(self, seconds: float) -> None:
        """Ring in so many seconds, unless it is set anew or cleared before."""
        self._deadline = monotonic() + seconds
        self._late = False
        if self._timer is None or self._deadline < self._goes_off_at:
            self._arm(seconds)

    def clear(self) -> None:
        """Do not ring."""
        self._deadline = None

    def dispose(self) -> None:
        """Never ring again."""
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._goes_off_at = monotonic() + seconds
        self._timer = self._loop.call_later(seconds, self._go_off)

    def _go_off(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        remaining = self._deadline - monotonic()
        if remaining > 0:
            self._arm(remaining)
        elif not self._late:
            # uvloop looks at its timers before it looks at its sockets.
            self._late = True
            self._arm(_GRACE)
        else:
            self._deadline = None
            self._ring()
