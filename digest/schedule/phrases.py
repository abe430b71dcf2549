"""One line of a schedule in words: `mondays, wednesdays and fridays at 07:00 and 17:30`.

A line that is not understood, or that people understand in two ways, raises ScheduleError.
"""

import re
from collections.abc import Mapping
from datetime import time
from typing import Final

from digest.model.schedule import LAST, Monthly, Rule, Weekly


class ScheduleError(ValueError):
    """A line is no schedule, or several together are none.

    `found` is what is wrong, as it was written; `expected` is in plain words, and `suggestion` is a
    line that would be accepted.
    """

    def __init__(self, found: str, expected: str, suggestion: str | None = None) -> None:
        question = f" Did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"found {found!r}, expected {expected}.{question}")
        self.found, self.expected, self.suggestion = found, expected, suggestion


#: What a line may look like, as it follows "expected".
EXAMPLES: Final = (
    'days and times such as "weekdays at 07:00", "fridays at 16:30" or "monthly on the 1st at'
    ' 09:00"'
)
_NAMES: Final = (
    ("monday", "mon"),
    ("tuesday", "tue", "tues"),
    ("wednesday", "wed", "weds"),
    ("thursday", "thu", "thur", "thurs"),
    ("friday", "fri"),
    ("saturday", "sat"),
    ("sunday", "sun"),
)
_WEEKDAYS: Final[Mapping[str, int]] = {
    spelled: number
    for number, names in enumerate(_NAMES)
    for name in names
    for spelled in (name, f"{name}s")
}
_DAYS: Final[Mapping[str, frozenset[int]]] = {
    **{name: frozenset({number}) for name, number in _WEEKDAYS.items()},
    **dict.fromkeys(("daily", "day"), frozenset(range(7))),
    **dict.fromkeys(("weekday", "weekdays"), frozenset(range(5))),
    **dict.fromkeys(("weekend", "weekends"), frozenset({5, 6})),
}
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": LAST}
#: Every word that a line may hold, in full.
WORDS: Final = (
    *("at", "and", "on", "the", "of", "to", "every", "each", "month", "monthly", "weekly"),
    *(*_DAYS, *_ORDINALS),
)

AND: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+")
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_MONTHLY: Final = re.compile(
    r"(?:monthly|(?:every|each) month)(?: on)?(?: |$)(.*)|(.*) of (?:the|every|each) month"
)
_LEADING: Final = re.compile(r"(?:weekly on |on )?(?:every |each )?(.*)")
_NUMBERED: Final = re.compile(
    r"(?:on )?(?:the )?(?:([0-9]{1,4})(?:st|nd|rd|th)?|([a-z]+))(?: ([a-z]+))?"
)
#: A month has up to five of a weekday: `the 4th and last friday` may be about the fourth Friday.
_MOST_WEEKDAYS: Final = 5


def parse_phrase(line: str) -> Rule:
    """The rule of a line in words. Raises ScheduleError."""
    days, at, times = " ".join(line.lower().replace("–", "-").split()).rpartition(" at ")
    if not at:
        raise ScheduleError(line, EXAMPLES)
    moments = tuple(sorted({_time(line, text) for text in AND.split(times)}))
    days = days.rstrip(", ")
    monthly = _MONTHLY.fullmatch(days)
    if monthly:
        return _monthly(line, monthly[1] or monthly[2] or "", moments)
    weekdays = frozenset[int]().union(*(_weekdays(line, text) for text in AND.split(days)))
    return Weekly(weekdays=weekdays, times=moments)


def _time(line: str, text: str) -> time:
    match = _TIME.fullmatch(text)
    if match and int(match[1]) < 24 and int(match[2]) < 60:
        return time(int(match[1]), int(match[2]))
    raise ScheduleError(line, f"a time from 00:00 to 23:59, not {text or 'nothing'}")


def _weekdays(line: str, text: str) -> frozenset[int]:
    match = _LEADING.fullmatch(text)
    name = match[1] if match else text
    if name in _DAYS:
        return _DAYS[name]
    first, dash, last = re.sub(r" to | ?- ?", "-", name).partition("-")
    if dash and first in _WEEKDAYS and last in _WEEKDAYS:
        begin = _WEEKDAYS[first]
        # Names of weekdays run over the end of a week without a doubt: sunday to thursday.
        width = (_WEEKDAYS[last] - begin) % 7
        return frozenset((begin + n) % 7 for n in range(width + 1))
    raise ScheduleError(line, f"{EXAMPLES}; {name!r} is no day" if name else EXAMPLES)


def _monthly(line: str, text: str, times: tuple[time, ...]) -> Monthly:
    items = [_numbered(line, item) for item in AND.split(text)]
    last_unit = items[-1][1]
    days: set[int] = set()
    weekdays: set[tuple[int, int]] = set()
    for position, (number, unit) in enumerate(items):
        following = {later for _, later in items[position + 1 :]} & _WEEKDAYS.keys()
        if unit in _WEEKDAYS:
            weekdays.add((_week_of_month(line, number), _WEEKDAYS[unit]))
        elif not unit and number <= _MOST_WEEKDAYS and following:
            raise _ambiguous(line, text, last_unit)
        elif not unit and number == LAST and last_unit != "day":
            raise ScheduleError(line, "what follows last: the last day, or the last friday")
        else:
            days.add(_day(line, number))
    return Monthly(days=frozenset(days), weekdays=frozenset(weekdays), times=times)


def _numbered(line: str, item: str) -> tuple[int, str]:
    """The number, or LAST, and what it counts: `day`, a weekday, or nothing where none is said."""
    match = _NUMBERED.fullmatch(item)
    number = match and (int(match[1]) if match[1] else _ORDINALS.get(match[2]))
    unit = (match and match[3]) or ""
    if not number or unit not in ("", "day", *_WEEKDAYS):
        raise ScheduleError(
            line,
            'days of the month such as "monthly on the 1st and 15th", "monthly on the last day" or'
            f' "monthly on the last friday", not {item or "nothing"}',
        )
    return number, unit


def _ambiguous(line: str, text: str, weekday: str) -> ScheduleError:
    """Refuse `the 1st and 3rd friday`, whose 1st is a day of the month or a Friday."""
    items = [
        item if " " in item.removeprefix("the ") else f"{item} {weekday}"
        for item in AND.split(text)
    ]
    return ScheduleError(
        line,
        "a weekday after each number, or a line of its own for the days of the month",
        f"monthly on {' and '.join(items)} at {line.lower().rpartition(' at ')[2]}",
    )


def _day(line: str, number: int) -> int:
    if number == LAST or 1 <= number <= 28:
        return number
    if number <= 31:
        raise ScheduleError(
            line,
            f'a day that every month has, such as the last day; cron ("0 9 {number} * *") leaves'
            " shorter months out",
        )
    raise ScheduleError(line, f"a day of the month from 1 to 28, or the last day, not {number}")


def _week_of_month(line: str, number: int) -> int:
    if number == LAST or 1 <= number <= 4:
        return number
    raise ScheduleError(
        line,
        f"a weekday that every month has: the 1st to the 4th, or the last, not number {number}",
    )
