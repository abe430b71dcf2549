"""Numbers, spans of time, instants and days as people read them in English."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """`1 reader`, `2,744 readers`; without a `plural` the noun gets an s."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


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


_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """An instant in a zone, to the minute: `2026-03-12 07:00 GMT`."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def weekday(day: date) -> str:
    """The day of the week: `Thu`, whatever language the machine is set to."""
    return _WEEKDAYS[day.weekday()]
