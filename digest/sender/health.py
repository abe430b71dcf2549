"""Health: whether a relay is to be used, as a value that knows no clock."""

import math
from dataclasses import dataclass, replace
from typing import Final

#: So many failures in a row, and it is the relay: a single one may be due to a single reader.
_FAILURES: Final = 3

#: Seconds for which a relay is left alone at first, and at most.
_FIRST: Final = 30.0
_LONGEST: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How often a relay failed in a row, how often it was left alone for that, and until when."""

    failures: int = 0
    times_out: int = 0
    out_until: float = -math.inf

    def is_out(self, now: float) -> bool:
        """Whether it is left alone at this time."""
        return now < self.out_until

    def failed(self, now: float) -> "Health":
        """After a failure. What was under way when it was given up fails along, and adds nothing.

        Once it was given up, one failure more is enough to be given up again.
        """
        if self.is_out(now):
            return self
        failures = self.failures + 1
        if self.times_out or failures >= _FAILURES:
            return self.given_up(now)
        return replace(self, failures=failures)

    def given_up(self, now: float) -> "Health":
        """Left alone from now on, each time for twice as long."""
        # The doubling ends before the number is too large to be one.
        span = min(_LONGEST, _FIRST * 2.0 ** min(self.times_out, 16))
        return replace(self, times_out=self.times_out + 1, out_until=now + span)
