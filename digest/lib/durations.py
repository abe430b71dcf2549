"""Spans of time as people write them: `36h`, `2d`, `1d 12h`, or a number of seconds."""

import math
import re
from datetime import timedelta
from typing import Final

_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)")
_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,6})?")

#: Ten years. Anything longer is rather a typing error.
LONGEST: Final = timedelta(days=3650)


def parse_duration(value: object) -> timedelta:
    """A span of time from `"36h"`, `"1d 12h"`, `"90m"`, `"1w"`, or a number of seconds.

    Units are s, m (or min), h, d and w, a day being 24 hours. Raises ValueError for anything else,
    for what is not positive, and for more than ten years.
    """
    seconds = _seconds(value)
    if not math.isfinite(seconds) or not 0 < seconds <= LONGEST.total_seconds():
        raise ValueError("not a span of time between 0 s and ten years")
    return timedelta(seconds=seconds)


def _seconds(value: object) -> float:
    """The length in seconds; not a number for what is no span of time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # a whole number too large for a float
            return math.inf
    if not isinstance(value, str):
        return math.nan
    text = value.strip().lower()
    if _NUMBER.fullmatch(text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip() or any(unit not in _SECONDS for _, unit in parts):
        return math.nan
    return math.fsum(float(count) * _SECONDS[unit] for count, unit in parts)


def format_duration(span: timedelta) -> str:
    """The span in the largest unit that divides it: `2d`, `36h`, `90s`. The inverse of parsing."""
    seconds = span.total_seconds()
    for unit in ("w", "d", "h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:f}".rstrip("0").rstrip(".") + "s"
