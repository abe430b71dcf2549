"""Silence: whether a source that used to have something new has been quiet for too long. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

#: Pauses that make a habit. Before that, nobody knows how a source is.
_PAUSES: Final = 5

#: No source is silent sooner, however busy it is: there are weekends.
_SHORTEST: Final = timedelta(days=2)

#: So many times longer than its long pauses.
_FACTOR: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source has had nothing new `lasting` so long; the longest pause before was `longest`."""

    lasting: timedelta
    longest: timedelta


def silence(days: Sequence[date], *, last_new: datetime, last_read: datetime) -> Silence | None:
    """Whether a source is silent beyond its habit.

    `days` are those on which it had something new, ascending, each once. It is silent when it has
    been so for three times as long as its long pauses, of which nine in ten are shorter. What
    counts is when it was last read: while we were away, it may have spoken.
    """
    pauses = sorted(after - before for before, after in pairwise(days))
    if len(pauses) < _PAUSES:
        return None
    long = pauses[math.ceil(0.9 * len(pauses)) - 1]
    lasting = last_read - last_new
    if lasting <= max(_SHORTEST, _FACTOR * long):
        return None
    return Silence(lasting=lasting, longest=pauses[-1])
