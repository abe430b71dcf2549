"""The rules of a schedule as values: which days they are about, and the times of each."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, time
from typing import Final

#: In place of a number: the last one of the month.
LAST: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Days of every week; Monday is 0."""

    weekdays: frozenset[int]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        return self.times if day.weekday() in self.weekdays else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """Days of every month: `days` by their number, or LAST; `weekdays` by number and weekday.

    (2, 1) is the second Tuesday, (LAST, 4) the last Friday.
    """

    days: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        from_end = monthrange(day.year, day.month)[1] - day.day
        numbers = {(day.day + 6) // 7} | ({LAST} if from_end < 7 else set())
        meant = (
            day.day in self.days
            or (from_end == 0 and LAST in self.days)
            or any((number, day.weekday()) in self.weekdays for number in numbers)
        )
        return self.times if meant else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Days for which all three hold: month, day of the month, and day of the week (Monday is 0)."""

    months: frozenset[int]
    days: frozenset[int]
    weekdays: frozenset[int]
    times: tuple[time, ...]

    def times_on(self, day: date) -> tuple[time, ...]:
        """The wall times of a day, in order."""
        meant = day.month in self.months and day.day in self.days and day.weekday() in self.weekdays
        return self.times if meant else ()
