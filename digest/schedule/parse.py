"""What somebody may have meant by a line that is no schedule.

A schedule from its lines, in words or as cron; what is none is refused with a suggestion.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from digest.lib.text import nearest
from digest.model.schedule import Rule, Schedule
from digest.schedule.cron import parse_cron
from digest.schedule.phrases import EXAMPLES, WORDS, ScheduleError, parse_phrase

_SHORTHANDS: Final = {
    "@daily": "daily at 00:00",
    "@midnight": "daily at 00:00",
    "@weekly": "sundays at 00:00",
    "@monthly": "monthly on the 1st at 00:00",
    "@hourly": "0 * * * *",
    "hourly": "0 * * * *",
    "every hour": "0 * * * *",
}
#: What lines ask for that there is no word for, and what comes nearest.
_OTHER_WISHES: Final = (
    (r" at .+ at ", 'a list, with one "at" in each of its lines'),
    (r"hour|minute", 'times one by one, or cron such as "0 8-18/2 * * *"'),
    (
        r"every other|every (2|two|second)|fortnight|bi-?weekly",
        'days of each week or month: "monthly on the 1st friday and the 3rd friday at 16:00" is'
        " nearly every second week",
    ),
    (r"year|annual|quarter", 'cron for a few months of the year, such as "0 9 1 jan,jul *"'),
    (r"[0-9] (?!and$)[a-z]{3,}(/[a-z_/]+)?$", "no zone here: that is in the key `timezone`"),
    (r"^weekly at", 'the day of the week, as in "fridays at 16:30"'),
    (r"^monthly at", 'the day of the month, as in "monthly on the 1st at 09:00"'),
)
_CLOCK: Final = re.compile(
    r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?(?::00)? ?(am|pm|a\.m\.|p\.m\.|h|o'clock)?"
)
_NAMED_TIMES: Final = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def suggest(refusal: ScheduleError) -> ScheduleError:
    """The same refusal with a suggestion, or with a better word about a wish that is known."""
    line = " ".join(refusal.found.lower().split())
    if line in _SHORTHANDS:
        return ScheduleError(refusal.found, refusal.expected, _SHORTHANDS[line])
    mended = _mended(line)
    if mended:
        return ScheduleError(refusal.found, refusal.expected, mended)
    for wish, words in _OTHER_WISHES:
        if re.search(wish, line):
            return ScheduleError(refusal.found, words)
    return refusal


def _mended(line: str) -> str | None:
    """The line with its words and times set right, where that makes a schedule of it."""
    days, at, times = line.rpartition(" at ")
    if not at:
        found = re.search(r" (?=[0-9]{1,2}(?:[:.h]|$|am|pm)|noon|midday|midnight)", line)
        if not found:
            return None
        days, times = line[: found.start()], line[found.end() :]
    known = list(WORDS)
    words = re.sub(r"(?<![0-9])[a-z]{3,}", lambda word: _word(word[0], known), days)
    moments = " and ".join(map(_clock, re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", times)))
    mended = f"{words} at {moments}"
    try:
        parse_phrase(mended)
    except ScheduleError:
        return None
    return mended


def _word(word: str, known: list[str]) -> str:
    return word if word in known else nearest(word, known) or word


def _clock(text: str) -> str:
    """A time of day as `07:30`, where it is one in another spelling; else as it is."""
    found = _CLOCK.fullmatch(text)
    if not found:
        return _NAMED_TIMES.get(text, text)
    hour, half = int(found[1]), (found[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 11:  # 12 am and 12 pm mean noon or midnight to different people
            return text
        hour += 12 if half == "p" else 0
    return f"{hour:02d}:{found[2] or '00'}"


#: Two slots of a newsletter are at least this far apart.
SHORTEST_DISTANCE: Final = timedelta(minutes=5)

_CRON: Final = re.compile(r"[0-9*][0-9*/,-]*(?:\s+\S+)+")
_BEGIN: Final = date(2023, 3, 1)
_FOUR_YEARS: Final = 1461
_DAY: Final = timedelta(days=1)


def parse_schedule(lines: Sequence[str], days_off: Iterable[date] = ()) -> Schedule:
    """The schedule of lines as people write them; see docs/guide/schedule.md for what they may be.

    Raises ScheduleError, which is a ValueError, with what was expected and, where that can be
    guessed, what was meant.
    """
    if not lines:
        raise ScheduleError("an empty list", EXAMPLES)
    kept = tuple(" ".join(line.split()) for line in lines)
    schedule = Schedule(lines=kept, rules=tuple(map(_rule, kept)), days_off=frozenset(days_off))
    if shortest_distance(schedule, SHORTEST_DISTANCE) < SHORTEST_DISTANCE:
        raise ScheduleError(str(schedule), "editions that are at least 5 minutes apart")
    return schedule


def shortest_distance(schedule: Schedule, enough: timedelta) -> timedelta:
    """The time between the two slots that are closest, by the clock on the wall.

    It is `enough` where they are at least so far apart. Days off do not count.
    """
    first, *_ = times = [datetime.combine(_BEGIN, moment) for moment in schedule.times]
    if all(later - one >= enough for one, later in pairwise([*times, first + _DAY])):
        return enough
    whole = Schedule(lines=schedule.lines, rules=schedule.rules)
    distances = (later - one for one, later in pairwise(_walls(whole)))
    return min(distances, default=enough)


def _walls(schedule: Schedule) -> Iterator[datetime]:
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
    except ScheduleError as refusal:
        raise suggest(refusal) from None
