"""The state of the service: written by the main loop, read by the pages of health and metrics."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from digest.storage.locks import Holder


class Heartbeat:
    """Whether the main loop lives. Beaten by it, read from other threads.

    A watchdog that only proves that some thread runs proves nothing. So the main loop says, each
    time it begins something, how long that may take; when it has said nothing for longer, it hangs.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._until = 0.0
        self._ticked: float | None = None

    def beat(self, at_most: float) -> None:
        """The main loop lives, and will say so again within so many seconds."""
        self._until = self._steady() + at_most

    def ticked(self) -> None:
        """A tick has ended."""
        self._ticked = self._steady()

    @property
    def alive(self) -> bool:
        """Whether the time that the main loop asked for is not over."""
        return self._steady() <= self._until

    @property
    def since_tick(self) -> float | None:
        """Seconds since the end of the last tick; None before the first."""
        return None if self._ticked is None else self._steady() - self._ticked


class Role(StrEnum):
    """LEADING: the lease is ours. STANDING_BY: another one has it. ENDING: we were told to end."""

    STARTING = "starting"
    LEADING = "leading"
    STANDING_BY = "standing by"
    ENDING = "ending"


@dataclass(slots=True)
class ServiceState:
    """Each field is set as a whole, so that a reader in another thread sees no half of it.

    `messages` counts what became of messages since the start, by outcome; `errors` what was logged
    as an error, by event. `failing_steps` are steps of the main loop that failed the last time.
    """

    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    role: Role = Role.STARTING
    holder: Holder | None = None
    messages: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    failing_steps: frozenset[str] = frozenset()
