"""Retry: when a deferred delivery is tried again, and when it is given up (RFC 5321 4.5.4.1).

The first time after a few minutes, since most servers that put a stranger off want just that
(greylisting); then ever more rarely. A pure function: time and randomness are passed in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.lib.backoff import Backoff

#: Before jitter: two tries in the first half hour, then every few hours.
_BACKOFF: Final = Backoff(first=timedelta(minutes=6), longest=timedelta(hours=4), factor=3)

#: The share of a wait by which it is made shorter or longer, so that not all come at one moment.
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """It is not tried again; `reason` is a phrase for the record."""

    reason: str


def next_attempt(
    first_attempt_at: datetime,
    attempts: int,
    now: datetime,
    random: float,
    *,
    give_up_after: timedelta,
) -> datetime | GiveUp:
    """When to try again after `attempts` tries, the last of which ended `now`.

    `random` is from 0 to 1. No try begins later than `give_up_after` after the first one.
    """
    at = now + _BACKOFF.after(attempts) * (1 + _JITTER * (2 * random - 1))
    if at - first_attempt_at > give_up_after:
        tries = "once" if attempts == 1 else f"{attempts} times"
        return GiveUp(reason=f"given up: tried {tries} since {first_attempt_at:%Y-%m-%d %H:%M %Z}")
    return at
