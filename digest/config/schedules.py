"""A schedule from its lines, in words or as cron; what is none is refused with a suggestion."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from digest.config.not_a_schedule import NotASchedule
from digest.model.schedule import Rule, Schedule
from digest.schedule.cron import parse_cron
from digest.schedule.parse import meant
from digest.schedule.phrases import EXAMPLES, parse_phrase

#: Two slots of a newsletter are at least this far apart.
SHORTEST_DISTANCE: Final = timedelta(minutes=5)

_CRON: Final = re.compile(r"[0-9*][0-9*/,-]*(?:\s+\S+)+")
_BEGIN: Final = date(2023, 3, 1)
_FOUR_YEARS: Final = 1461
_DAY: Final = timedelta(days=1)


def parse_schedule(lines: Sequence[str], days_off: Iterable[date] = ()) -> Schedule:
    """The schedule of lines as people write them; see docs/guide/schedule.md for what they may be.

    Raises NotASchedule, which is a ValueError, with what was expected and, where that can be
    guessed, what was meant.
    """
    if not lines:
        raise NotASchedule("an empty list", EXAMPLES)
    kept = tuple(" ".join(line.split()) for line in lines)
    schedule = Schedule(lines=kept, rules=tuple(map(_rule, kept)), days_off=frozenset(days_off))
    if shortest_distance(schedule, SHORTEST_DISTANCE) < SHORTEST_DISTANCE:
        raise NotASchedule(str(schedule), "editions that are at least 5 minutes apart")
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
    except NotASchedule as refusal:
        raise meant(refusal) from None
