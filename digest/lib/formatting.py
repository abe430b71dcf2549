"""Spans of time, in words."""

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """A span as people say it, to two figures or so: `45 seconds`, `90 minutes`, `5.5 hours`.

    A span below zero is as long as its opposite.
    """
    seconds = abs(span.total_seconds())
    for unit, length, enough in (
        ("day", 86400, 48 * 3600),
        ("hour", 3600, 7200),
        ("minute", 60, 120),
    ):
        if seconds >= enough:
            return _counted(round(seconds / length, 1), unit)
    return _counted(round(seconds), "second")


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit if number == 1 else unit + 's'}"
