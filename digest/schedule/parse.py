"""A schedule from its lines, in words or as cron. What is none is refused with a suggestion."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from digest.lib.text import nearest
from digest.model.schedule import Rule, Schedule
from digest.schedule.cron import parse_cron
from digest.schedule.phrases import AND, EXAMPLES, WORDS, ScheduleError, parse_phrase

#: Two slots of a newsletter are at least this far apart.
SHORTEST_DISTANCE: Final = timedelta(minutes=5)

_CRON: Final = re.compile(r"[0-9*][0-9*/,-]*(?:\s+\S+)+")
_BEGIN: Final = date(2023, 3, 1)
_FOUR_YEARS: Final = 1461
_DAY: Final = timedelta(days=1)
_SHORTHANDS: Final = {
    "@daily": "daily at 00:00",
    "@midnight": "daily at 00:00",
    "@weekly": "sundays at 00:00",
    "@monthly": "monthly on the 1st at 00:00",
    "@hourly": "0 * * * *",
    "hourly": "0 * * * *",
    "every hour": "0 * * * *",
}
#: What lines ask for that no schedule can say, and what comes nearest.
_UNSUPPORTED: Final = (
    (r" at .+ at ", 'a list, with one "at" in each of its lines'),
    (r"hour|minute", 'single times, or cron such as "0 8-18/2 * * *"'),
    (
        r"every other|every (2|two|second)|fortnight|bi-?weekly",
        'days of each week or month: "monthly on the 1st friday and the 3rd friday at 16:00" is'
        " nearly every second week",
    ),
    (r"year|annual|quarter", 'cron for a few months of the year, such as "0 9 1 jan,jul *"'),
    (r"[0-9] (?!and$)[a-z]{3,}(/[a-z_/]+)?$", "no time zone: the key `timezone` sets it"),
    (r"^weekly at", 'the day of the week, as in "fridays at 16:30"'),
    (r"^monthly at", 'the day of the month, as in "monthly on the 1st at 09:00"'),
)
_TIME_OF_DAY: Final = re.compile(
    r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?(?::00)? ?(am|pm|a\.m\.|p\.m\.|h|o'clock)?"
)
_NAMED_TIMES: Final = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def parse_schedule(lines: Sequence[str], days_off: Iterable[date] = ()) -> Schedule:
    """The schedule of lines as people write them; see docs/guide/schedule.md for what they may be.

    Raises ScheduleError, with a suggestion where one can be guessed.
    """
    if not lines:
        raise ScheduleError("an empty list", EXAMPLES)
    tidy = tuple(" ".join(line.split()) for line in lines)
    schedule = Schedule(lines=tidy, rules=tuple(map(_rule, tidy)), days_off=frozenset(days_off))
    if shortest_distance(schedule, SHORTEST_DISTANCE) < SHORTEST_DISTANCE:
        raise ScheduleError(str(schedule), "editions that are at least 5 minutes apart")
    return schedule


def shortest_distance(schedule: Schedule, enough: timedelta) -> timedelta:
    """The time between the two slots that are closest, by the clock on the wall.

    It is `enough` where they are at least that far apart. Days off are not left out.
    """
    first, *_ = times = [datetime.combine(_BEGIN, moment) for moment in schedule.times]
    if all(later - earlier >= enough for earlier, later in pairwise([*times, first + _DAY])):
        return enough
    every_day = Schedule(lines=schedule.lines, rules=schedule.rules)
    distances = (later - earlier for earlier, later in pairwise(_wall_times(every_day)))
    return min(distances, default=enough)


def _wall_times(schedule: Schedule) -> Iterator[datetime]:
    """The wall times of four years."""
    for n in range(_FOUR_YEARS):
        day = _BEGIN + n * _DAY
        for moment in schedule.times_on(day):
            yield datetime.combine(day, moment)


def _rule(line: str) -> Rule:
    if _CRON.fullmatch(line):
        return parse_cron(line)
    try:
        return parse_phrase(line)
    except ScheduleError as error:
        raise _with_suggestion(error) from None


def _with_suggestion(error: ScheduleError) -> ScheduleError:
    """The same error with a suggestion, or with what comes nearest to what cannot be said."""
    line = " ".join(error.found.lower().split())
    suggestion = _SHORTHANDS.get(line) or _corrected(line)
    if suggestion:
        return ScheduleError(error.found, error.expected, suggestion)
    for pattern, nearest_words in _UNSUPPORTED:
        if re.search(pattern, line):
            return ScheduleError(error.found, nearest_words)
    return error


def _corrected(line: str) -> str | None:
    """The line with its spelling corrected, where that makes a schedule of it."""
    days, at, times = line.rpartition(" at ")
    if not at:
        gap = re.search(r" (?=[0-9]{1,2}(?:[:.h]|$|am|pm)|noon|midday|midnight)", line)
        if not gap:
            return None
        days, times = line[: gap.start()], line[gap.end() :]
    words = re.sub(r"(?<![0-9])[a-z]{3,}", lambda word: _known_word(word[0]), days)
    corrected = f"{words} at {' and '.join(map(_time_of_day, AND.split(times)))}"
    try:
        parse_phrase(corrected)
    except ScheduleError:
        return None
    return corrected


def _known_word(word: str) -> str:
    return word if word in WORDS else nearest(word, list(WORDS)) or word


def _time_of_day(text: str) -> str:
    """A time of day as `07:30`, where it is one in another spelling; else as it is."""
    match = _TIME_OF_DAY.fullmatch(text)
    if not match:
        return _NAMED_TIMES.get(text, text)
    hour, half = int(match[1]), (match[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 11:  # 12 am and 12 pm mean noon or midnight to different people
            return text
        hour += 12 if half == "p" else 0
    return f"{hour:02d}:{match[2] or '00'}"
