"""Drift: noticing that somebody has set the machine's clock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

#: Smaller steps are usual: time servers make them.
_NOTABLE: Final = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class Drift:
    """Compares the time of day with a clock that only goes forward, whose zero is anywhere."""

    _zero: datetime | None = field(default=None, init=False)

    def step(self, now: datetime, steady: float) -> timedelta | None:
        """How far the time of day was set forward (or back, if negative) since the last look.

        `steady` is in seconds. None where it went on as time does.
        """
        zero = now - timedelta(seconds=steady)
        before, self._zero = self._zero, zero
        if before is None or abs(zero - before) < _NOTABLE:
            if before is not None:
                self._zero = before  # so that many small steps are noticed together
            return None
        return zero - before
