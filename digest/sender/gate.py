"""A gate: what messages to one place must pass, how many at a time and how fast."""

import math
from typing import Final

from digest.sender.rate_limits import Rates

#: What a gate says that opens only when something else has gone through.
NOT_YET: Final = math.inf


class Gate:
    """Lets through at most `connections` messages at a time, and no more than the rates allow."""

    def __init__(self, connections: float = math.inf, rates: Rates | None = None) -> None:
        self._connections = connections
        self._rates = rates or Rates()
        self._inside = 0

    def wait(self, now: float) -> float:
        """Seconds until another one may go in; NOT_YET where one must come out first."""
        return NOT_YET if self._inside >= self._connections else self._rates.wait(now)

    def enter(self, now: float) -> None:
        """One goes in."""
        self._inside += 1
        self._rates = self._rates.taken(now)

    def leave(self) -> None:
        """One has come out."""
        self._inside -= 1
