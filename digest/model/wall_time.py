"""Wall time: instants and days as people read them, by the clock of a zone."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """An instant in a zone, to the minute: `2026-03-12 07:00 GMT`."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def weekday(day: date) -> str:
    """The day of the week: `Thu`, whatever language the machine is set to."""
    return _WEEKDAYS[day.weekday()]
