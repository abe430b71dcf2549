"""Rate limits: how many messages may go, and how many at a time.

Rates are values that know no clock: `wait` says for how many seconds nothing may go, and `taken` is
the rate after one message more. Times are seconds on any clock that does not run backwards.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

#: A late timer may be caught up with at most this share of a second's messages.
_BURST: Final = 0.05

#: Into so many parts a window is divided for counting. More are more exact, and take more memory.
_PARTS: Final = 60

#: The part of a token that rounding may lose.
_EPSILON: Final = 1e-9


class Rate(Protocol):
    """What limits the messages of a relay, or those for a domain."""

    def wait(self, now: float) -> float:
        """Seconds until a message may go: 0 if it may go now."""

    def taken(self, now: float) -> Self:
        """The rate after a message that went now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """A number of messages a second, evenly: never more in any second, only a few at once.

    The bucket holds up to `capacity` tokens, a message takes one, and `rate` of them come back in a
    second. Less than a second's worth comes back, by what the bucket holds: what is in it at the
    start of a second and what comes in meanwhile are the limit together.
    """

    capacity: float
    rate: float
    level: float
    at: float = -math.inf

    @classmethod
    def of(cls, per_second: float) -> "TokenBucket":
        """A full bucket. Less than one in a second is one in several."""
        capacity = max(1.0, math.floor(per_second * _BURST))
        return cls(capacity=capacity, rate=per_second - (capacity - 1.0), level=capacity)

    def _level(self, now: float) -> float:
        return min(self.capacity, self.level + (now - self.at) * self.rate)

    def wait(self, now: float) -> float:
        """See `Rate`."""
        missing = 1.0 - self._level(now)
        return missing / self.rate if missing > _EPSILON else 0.0

    def taken(self, now: float) -> "TokenBucket":
        """See `Rate`."""
        return replace(self, level=self._level(now) - 1.0, at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingWindow:
    """At most `limit` messages in any `window` seconds, whenever those begin.

    `counts` has the messages of each part of the window, by the number of the part, oldest first. A
    message is counted until the whole of its part has left the window, so the limit is kept for
    certain, and what is kept does not grow with it.
    """

    limit: int
    window: float
    counts: tuple[tuple[int, int], ...] = ()

    @property
    def _part(self) -> float:
        return self.window / _PARTS

    def _leaves_at(self, part: int) -> float:
        return (part + 1) * self._part + self.window

    def _recent(self, now: float) -> Iterator[tuple[int, int]]:
        return ((part, count) for part, count in self.counts if self._leaves_at(part) > now)

    def wait(self, now: float) -> float:
        """See `Rate`."""
        recent = list(self._recent(now))
        if sum(count for _, count in recent) < self.limit:
            return 0.0
        return self._leaves_at(recent[0][0]) - now

    def taken(self, now: float) -> "SlidingWindow":
        """See `Rate`."""
        part = math.floor(now / self._part)
        *before, last = (*self._recent(now), (part, 0))
        if before and before[-1][0] == part:
            last = before.pop()
        return replace(self, counts=(*before, (part, last[1] + 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Several rates at once: the strictest one decides."""

    rates: tuple[Rate, ...] = ()

    def wait(self, now: float) -> float:
        """See `Rate`."""
        return max((rate.wait(now) for rate in self.rates), default=0.0)

    def taken(self, now: float) -> "Rates":
        """See `Rate`."""
        return Rates(rates=tuple(rate.taken(now) for rate in self.rates))


#: The wait of a message that may go only when another one has ended, whenever that is.
AFTER_ANOTHER: Final = math.inf


class Limiter:
    """Allows at most `connections` messages at a time, and no more than the rates allow."""

    def __init__(self, connections: float = math.inf, rates: Rates | None = None) -> None:
        self._connections = connections
        self._rates = rates or Rates()
        self._under_way = 0

    def wait(self, now: float) -> float:
        """Seconds until another message may go; AFTER_ANOTHER where one must end first."""
        if self._under_way >= self._connections:
            return AFTER_ANOTHER
        return self._rates.wait(now)

    def enter(self, now: float) -> None:
        """A message goes now."""
        self._under_way += 1
        self._rates = self._rates.taken(now)

    def leave(self) -> None:
        """A message has ended."""
        self._under_way -= 1
