"""The timetable: which slots a newsletter has, and at which instants. Pure, and without a clock.

Slots are enumerated by the clock on the wall and then mapped to instants, so that a change of the
clocks can neither drop nor double one. Their order is that of their instants; where two are at the
same one (02:30, which spring leaves out, is as late as 03:30), that of their names.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from operator import attrgetter
from typing import Final

from digest.model.newsletter import Newsletter
from digest.model.schedule import Schedule
from digest.model.slot import Slot, instant_of, slot_name

#: No slot is before the first of these days, or after the second: datetime ends soon after it.
_FIRST: Final = date(1970, 1, 1).toordinal()
_LAST: Final = date(9999, 12, 29).toordinal()

#: In days. A line that comes at all comes within eight years: 29 February around the year 2100.
_LONGEST_WAIT: Final = 8 * 366

#: Zones are less than a day away from UTC, and no change of a clock is longer than this.
_A_DAY: Final = timedelta(days=1)


def slots_after(newsletter: Newsletter, after: datetime) -> Iterator[Slot]:
    """The slots later than an aware instant, in order. It ends where none comes any more."""
    if newsletter.schedule is None:
        return
    waiting: list[Slot] = []
    for day, times in _days(newsletter.schedule, after.astimezone(UTC).toordinal() - 2):
        if waiting:
            # A slot in the hour that spring leaves out may be later than some of the next day.
            surely_before = instant_of(datetime.combine(day, time()), newsletter.timezone) - _A_DAY
            yield from (slot for slot in waiting if slot.at < surely_before)
            waiting = [slot for slot in waiting if slot.at >= surely_before]
        if times:
            waiting += (slot for slot in _slots_on(day, times, newsletter) if slot.at > after)
            waiting.sort(key=attrgetter("at", "name"))
    yield from waiting


def slots_between(newsletter: Newsletter, after: datetime, until: datetime) -> tuple[Slot, ...]:
    """The slots later than `after` and not later than `until`, in order."""
    return tuple(takewhile(lambda slot: slot.at <= until, slots_after(newsletter, after)))


def next_slot(newsletter: Newsletter, after: datetime) -> Slot | None:
    """The first slot later than an instant; None where none comes any more."""
    return next(slots_after(newsletter, after), None)


def _days(schedule: Schedule, begin: int) -> Iterator[tuple[date, tuple[time, ...]]]:
    """The days from the one with this ordinal to the last that a slot may be on, with its times."""
    ordinal = max(begin, _FIRST)
    end = ordinal + _LONGEST_WAIT
    while ordinal <= min(end, _LAST):
        day = date.fromordinal(ordinal)
        times = schedule.times_on(day)
        yield day, times
        if times or day in schedule.days_off:
            end = ordinal + _LONGEST_WAIT
        ordinal += 1


def _slots_on(day: date, times: Sequence[time], newsletter: Newsletter) -> Iterator[Slot]:
    """The slots of one day; none on one that the zone leaves out (Apia, 30 December 2011)."""
    zone = newsletter.timezone
    for moment in times:
        wall = datetime.combine(day, moment)
        at = instant_of(wall, zone)
        if at.astimezone(zone).replace(tzinfo=None) - wall < _A_DAY:
            yield Slot(newsletter=newsletter.key, name=slot_name(wall), at=at)
