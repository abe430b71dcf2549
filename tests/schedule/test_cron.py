"""Our cron against APScheduler's, which was written by others: the same times in UTC."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.schedule.cron import WEEKDAYS, parse_cron

MOST = 30
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def spans(least: int, most: int) -> st.SearchStrategy[str]:
    """`5`, `5-20`, `5-20/3` or `*/3`, several of them with commas."""
    ends = st.lists(st.integers(least, most), min_size=2, max_size=2, unique=True).map(sorted)
    steps = st.integers(1, most - least)
    whole = st.builds("*/{}".format, steps)
    span = ends.map(lambda found: f"{found[0]}-{found[1]}")
    stepped = st.builds(
        lambda found, step: f"{found[0]}-{found[1]}/{min(step, found[1] - found[0])}", ends, steps
    )
    part = st.integers(least, most).map(str) | span | stepped | whole
    return st.lists(part, min_size=1, max_size=3).map(",".join)


def names(known: list[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from(known)
    span = st.tuples(one, one).map(lambda found: "-".join(sorted(found, key=known.index)))
    return st.lists(one | span, min_size=1, max_size=3).map(",".join)


DAY_AND_WEEKDAY = (
    st.tuples(spans(1, 31), st.just("*"))
    | st.tuples(st.just("*"), names(list(WEEKDAYS)))
    | st.just(("*", "*"))
)
LINES = st.builds(
    lambda minute, hour, month, days: f"{minute} {hour} {days[0]} {month} {days[1]}",
    spans(0, 59),
    spans(0, 23),
    st.just("*") | spans(1, 12) | names(MONTHS),
    DAY_AND_WEEKDAY,
)
BEGINNINGS = st.integers(0, 20 * 366 * 1440).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def fire_times(line: str, begin: datetime, until: datetime) -> list[datetime]:
    """What APScheduler says, at most MOST of them."""
    trigger: Any = CronTrigger.from_crontab(line, timezone=UTC)
    found: list[datetime] = []
    last, now = None, begin
    while len(found) < MOST:
        last = trigger.get_next_fire_time(last, now)
        if last is None or last >= until:
            break
        found.append(last)
        now = last + timedelta(microseconds=1)
    return found


@given(LINES, BEGINNINGS)
@settings(deadline=None)
def test_cron_means_what_another_reader_of_it_means(line: str, begin: datetime) -> None:
    until = begin + timedelta(days=400)
    try:
        rule = parse_cron(line)
    except ValueError:
        assert fire_times(line, begin, begin + timedelta(days=9 * 366)) == []
        return
    ours = [
        at
        for n in range(401)
        for moment in rule.times_on((begin + timedelta(days=n)).date())
        if begin
        <= (at := datetime.combine((begin + timedelta(days=n)).date(), moment, tzinfo=UTC))
        < until
    ]

    assert ours[:MOST] == fire_times(line, begin, until)


def test_names_may_run_over_the_end_of_a_week_or_year() -> None:
    rule = parse_cron("0 7 * nov-feb fri-mon")
    assert rule.weekdays == {4, 5, 6, 0}
    assert rule.months == {11, 12, 1, 2}
    assert rule.times == (time(7),)
