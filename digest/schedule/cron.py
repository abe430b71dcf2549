"""Cron with five fields, as far as all programs that read it agree on what a line means.

Where they differ (numbers for weekdays, a day of the month and a weekday at once, `5/15`), the line
is refused with the reason, so that no edition goes out at another time than its author expects.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from digest.model.schedule import Cron
from digest.schedule.phrases import ScheduleError

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_PART: Final = re.compile(r"(\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,4}))?")
_LEAP_YEAR: Final = 2024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """What may stand in a field: numbers from `least` to `most`, names, or both."""

    name: str
    least: int
    most: int
    names: Sequence[str] = ()
    numbers: bool = True

    def words(self) -> str:
        numbers = f"{self.least} to {self.most}" if self.numbers else ""
        names = f"{self.names[0]} to {self.names[-1]}" if self.names else ""
        return " or ".join(filter(None, (numbers, names)))


_MINUTE: Final = _Field(name="minute", least=0, most=59)
_HOUR: Final = _Field(name="hour", least=0, most=23)
_DAY: Final = _Field(name="day of the month", least=1, most=31)
_MONTH: Final = _Field(name="month", least=1, most=12, names=_MONTHS)
_WEEKDAY: Final = _Field(name="weekday", least=0, most=6, names=WEEKDAYS, numbers=False)


def parse_cron(line: str) -> Cron:
    """The rule of a line such as `30 7 * * mon-fri`. Raises ScheduleError."""
    texts = line.lower().split()
    if len(texts) != 5:
        raise ScheduleError(
            line, f"cron with five fields (minute hour day month weekday), not {len(texts)}"
        )
    _refuse_ambiguous(line, texts)
    fields = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    minutes, hours, days, months, weekdays = (
        _values(line, text, field) for text, field in zip(texts, fields, strict=True)
    )
    if min(days) > max(monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise ScheduleError(line, f"a day that occurs: none of its months has a day {min(days)}")
    times = tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes))
    return Cron(months=months, days=days, weekdays=weekdays, times=times)


def _refuse_ambiguous(line: str, texts: Sequence[str]) -> None:
    *_, day, _month, weekday = texts
    if re.search(r"\d", weekday.partition("/")[0]):
        raise ScheduleError(
            line,
            "weekdays by name, such as mon: the same number is another day to another program",
            _named(texts),
        )
    if "/" in weekday:
        raise ScheduleError(
            line, "weekdays one by one, as in mon,wed,fri: weeks do not all begin on the same day"
        )
    if day != "*" and weekday != "*":
        raise ScheduleError(
            line,
            "a day of the month or a weekday, and * for the other: some programs take days that"
            " are either, others days that are both",
        )


def _named(texts: Sequence[str]) -> str | None:
    """The line with the names that crontab(5) has for its numbers, but for 0 and 7."""
    *others, weekday = texts
    if not re.fullmatch(r"[1-6](?:[-,][1-6])*", weekday):
        return None
    return " ".join((*others, re.sub(r"\d", lambda match: WEEKDAYS[int(match[0]) - 1], weekday)))


def _values(line: str, text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _span(line, part, field))


def _span(line: str, part: str, field: _Field) -> range | frozenset[int]:
    match = _PART.fullmatch(part)
    if not match:
        raise ScheduleError(line, f"{field.words()} for the {field.name}, not {part or 'nothing'}")
    whole, first, last, step = match.groups()
    if step and whole != "*" and not last:
        raise ScheduleError(
            line, f"a span before the step, as in {first}-{field.most}/{step}, not {part}"
        )
    begin = field.least if whole == "*" else _value(line, first, field)
    end = field.most if whole == "*" else _value(line, last or first, field)
    width = int(step or 1)
    if not 1 <= width <= field.most - field.least:
        raise ScheduleError(line, f"a step from 1 to {field.most - field.least}, not {part}")
    if begin <= end:
        return range(begin, end + 1, width)
    if not field.names or first.isdigit() or last.isdigit():
        raise ScheduleError(
            line, f"a span that runs forwards, as in {begin}-{field.most},{field.least}-{end}"
        )
    # From November to February, from Sunday to Thursday: names say it without a doubt.
    size = field.most - field.least + 1
    return frozenset(
        field.least + (begin - field.least + n) % size
        for n in range(0, (end - begin) % size + 1, width)
    )


def _value(line: str, text: str, field: _Field) -> int:
    if text in field.names:
        return field.least + field.names.index(text)
    if field.numbers and text.isdecimal() and field.least <= int(text) <= field.most:
        return int(text)
    raise ScheduleError(line, f"{field.words()} for the {field.name}, not {text}")
