"""A source is silent when it is so for longer than it is its habit."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.publishing.notifications.events import SourceSilence, source_silence

MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)


def days(*offsets: int) -> list[date]:
    return [MONDAY + offset * DAY for offset in offsets]


def after(spoke: list[date], *, quiet: timedelta) -> SourceSilence | None:
    last = datetime.combine(spoke[-1], datetime.min.time(), UTC)
    return source_silence(spoke, last_new=last, last_read=last + quiet)


def test_a_daily_source_is_silent_after_three_days() -> None:
    daily = days(*range(10))
    assert after(daily, quiet=3 * DAY) is None
    assert after(daily, quiet=3.1 * DAY) == SourceSilence(lasting=3.1 * DAY, longest=DAY)


def test_a_source_that_rests_at_weekends_is_not_silent_on_a_monday() -> None:
    weekdays = days(*(7 * week + day for week in range(4) for day in range(5)))
    assert after(weekdays, quiet=3 * DAY) is None
    assert after(weekdays, quiet=9 * DAY) is None
    assert after(weekdays, quiet=10 * DAY) is not None


def test_a_monthly_source_is_silent_after_three_months() -> None:
    monthly = days(*range(0, 300, 30))
    assert after(monthly, quiet=89 * DAY) is None
    assert after(monthly, quiet=91 * DAY) is not None


def test_one_long_pause_makes_no_habit() -> None:
    holidays = days(*range(20), *range(40, 60))
    assert after(holidays, quiet=4 * DAY) == SourceSilence(lasting=4 * DAY, longest=21 * DAY)


def test_without_enough_pauses_nobody_knows_the_habit() -> None:
    assert after(days(0, 1, 2, 3, 4), quiet=300 * DAY) is None


@given(
    pauses=st.lists(st.integers(1, 60), min_size=5, max_size=40),
    quiet=st.integers(0, 400),
)
def test_silence_begins_once_and_lasts(pauses: list[int], quiet: int) -> None:
    offsets = [sum(pauses[:n]) for n in range(len(pauses) + 1)]
    spoke = days(*offsets)
    found = after(spoke, quiet=quiet * DAY)
    if found is not None:
        assert quiet > 2
        assert quiet > 3 * min(pauses)
        assert after(spoke, quiet=(quiet + 1) * DAY) is not None
    else:
        assert quiet <= max(2, 3 * max(pauses))
