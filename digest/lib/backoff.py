"""Capped exponential backoff: each failure in a row makes the wait longer, up to a longest one."""

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A wait that begins with `first` and is multiplied by `factor` until it reaches `longest`."""

    first: timedelta
    longest: timedelta
    factor: float = 2.0

    def __post_init__(self) -> None:
        if not (timedelta(0) < self.first <= self.longest and self.factor > 1):
            raise ValueError(f"a backoff grows: {self}")

    def after(self, failures: int) -> timedelta:
        """The wait after so many failures in a row; none waits as long as one."""
        exponent = max(failures, 1) - 1
        # Compared as exponents: the power itself may be too large for a float or a timedelta.
        if exponent >= math.log(self.longest / self.first, self.factor):
            return self.longest
        return self.first * math.pow(self.factor, exponent)
