"""The kinds of values that say when; see `digest.config.field_types` for all the others."""

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Annotated, Final, Literal

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from digest.config.field_types import Words
from digest.config.refusal import line, refused
from digest.lib.durations import parse_duration
from digest.model.schedule import QuietHours, Schedule
from digest.schedule.parse import parse_schedule
from digest.schedule.phrases import NotASchedule

_DAY: Final = timedelta(days=1)
_DATE: Final = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s*")
_HOURS: Final = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\s*")
#: A longer holiday is rather a typing error in its year.
_LONGEST_HOLIDAY: Final = timedelta(days=366)


class OneOrSeveral:
    """Marks a key that takes a text, or a list of texts."""


def schedule(value: object) -> Schedule:
    """The schedule of a text, or of a list of texts. Raises what `refused` makes."""
    lines = [_line(text) for text in (value if isinstance(value, list) else [value])]
    try:
        return parse_schedule(lines)
    except NotASchedule as error:
        raise refused(error.expected, error.suggestion, error.found if lines else None) from None


def _line(text: object) -> str:
    if not isinstance(text, str):
        raise refused()
    try:
        return line(text)
    except PydanticCustomError:
        raise refused(found=text) from None


def _days_off(value: object) -> tuple[date, ...]:
    """The day, or every day of a holiday such as `2026-12-24..2027-01-02`."""
    if type(value) is date:  # a datetime is one, too, and says more than a day
        return (value,)
    if not isinstance(value, str):
        raise refused()
    first, dots, last = value.partition("..")
    begin, end = _date(first), _date(last if dots else first)
    if not timedelta(0) <= end - begin <= _LONGEST_HOLIDAY:
        raise refused("a holiday that ends after it begins, and within a year")
    return tuple(begin + n * _DAY for n in range((end - begin).days + 1))


def _date(text: str) -> date:
    found = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise refused() from None


def quiet_hours(value: object) -> QuietHours:
    """The hours of a text such as `22:00-07:00`. Raises what `refused` makes."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise refused()
    hour, minute, end_hour, end_minute = map(int, found.groups())
    try:
        begin, end = time(hour, minute), time(end_hour, end_minute)
    except ValueError:
        until_midnight = (end_hour, end_minute) == (24, 0) and (hour, minute) != (0, 0)
        midnight = f"{hour:02d}:{minute:02d}-00:00" if until_midnight else None
        raise refused("times from 00:00 to 23:59", midnight) from None
    if begin == end:
        raise refused("hours that end at another time than they begin")
    return QuietHours(begin=begin, end=end)


def _span_from(least: timedelta) -> Callable[[object], timedelta]:
    """A check of a span of time that has to be so long at least."""

    def check(value: object) -> timedelta:
        try:
            span = parse_duration(value)
        except ValueError:
            raise refused() from None
        if span < least:
            raise refused()
        return span

    return check


ScheduleLines = Annotated[
    Schedule,
    PlainValidator(schedule),
    OneOrSeveral(),
    Words('a text such as "weekdays at 07:00", or a list of texts'),
]
DaysOff = Annotated[
    tuple[date, ...],
    PlainValidator(_days_off),
    Words('a date such as 2026-12-25, or "2026-12-24..2027-01-02"'),
]
Hours = Annotated[
    QuietHours, PlainValidator(quiet_hours), Words('a span of the day such as "22:00-07:00"')
]
Minutes = Annotated[
    timedelta,
    PlainValidator(_span_from(timedelta(minutes=1))),
    Words("a span of time from 1m up, such as 15m, 2h or 1d"),
]
Days = Annotated[
    timedelta,
    PlainValidator(_span_from(_DAY)),
    Words("a span of time from 1d up, such as 90d or 52w"),
]
CatchUpName = Annotated[Literal["collapse", "replay", "skip"], Words("collapse, replay or skip")]
DeliverAtName = Annotated[Literal["newsletter", "reader"], Words("newsletter or reader")]
ApprovalName = Annotated[Literal["none", "required"], Words("none or required")]
OnSilenceName = Annotated[Literal["send", "hold", "skip"], Words("send, hold or skip")]
LogFormName = Annotated[Literal["text", "json"], Words("text or json")]
