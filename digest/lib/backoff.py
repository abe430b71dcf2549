"""Exponential backoff: the pause before the next try doubles with each failure, up to a limit."""

from datetime import timedelta


def doubling(first: timedelta, *, failures: int, longest: timedelta) -> timedelta:
    """How long to wait after so many failures: `first` after one, then twice as long each time."""
    # More doublings than these pass any limit, and would overflow a timedelta.
    pause: timedelta = first * 2 ** min(failures - 1, 20)
    return min(longest, pause)
