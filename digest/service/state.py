"""The pulse: whether the main loop lives, for those who watch it.

A watchdog that only proves that some thread runs proves nothing. So the main loop says, each time
it begins something, how long that may take; when it has said nothing for longer, it hangs.
"""

import time
from collections.abc import Callable


class Pulse:
    """Beaten by the main loop, felt from other threads."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._until = 0.0
        self._ticked: float | None = None

    def beat(self, at_most: float) -> None:
        """The main loop lives, and will say so again within so many seconds."""
        self._until = self._steady() + at_most

    def ticked(self) -> None:
        """A tick came to its end."""
        self._ticked = self._steady()

    @property
    def alive(self) -> bool:
        """Whether the main loop does what it said."""
        return self._steady() <= self._until

    @property
    def since_tick(self) -> float | None:
        """Seconds since the last tick that came to its end; None before the first."""
        return None if self._ticked is None else self._steady() - self._ticked
