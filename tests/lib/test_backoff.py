from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.lib.backoff import Backoff

MINUTES = Backoff(first=timedelta(minutes=1), longest=timedelta(minutes=30))


def test_a_wait_doubles_until_it_is_the_longest() -> None:
    waits = [MINUTES.after(failures) / timedelta(minutes=1) for failures in range(1, 9)]

    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_it_may_grow_by_another_factor() -> None:
    backoff = Backoff(first=timedelta(minutes=6), longest=timedelta(hours=4), factor=3)

    waits = [backoff.after(failures) / timedelta(minutes=1) for failures in range(1, 6)]

    assert waits == [6, 18, 54, 162, 240]


def test_the_wait_before_any_failure_is_the_first_one() -> None:
    assert MINUTES.after(0) == timedelta(minutes=1)


def test_the_longest_is_reached_exactly_where_it_is_a_power() -> None:
    backoff = Backoff(first=timedelta(seconds=30), longest=timedelta(seconds=120))

    assert [backoff.after(n).total_seconds() for n in (1, 2, 3, 4)] == [30, 60, 120, 120]


def test_a_backoff_that_always_waits_equally_long() -> None:
    hour = timedelta(hours=1)

    assert {Backoff(first=hour, longest=hour).after(n) for n in range(5)} == {hour}


@given(failures=st.integers(min_value=0, max_value=10**9), factor=st.floats(1.01, 1000))
def test_a_wait_never_shrinks_and_never_overflows(failures: int, factor: float) -> None:
    backoff = Backoff(first=timedelta(seconds=1), longest=timedelta(days=10_000), factor=factor)

    assert backoff.first <= backoff.after(failures) <= backoff.after(failures + 1)
    assert backoff.after(failures + 1) <= backoff.longest


@pytest.mark.parametrize(
    ("first", "longest", "factor"), [(0, 10, 2), (-1, 10, 2), (11, 10, 2), (1, 10, 1)]
)
def test_a_backoff_that_does_not_grow_is_refused(first: int, longest: int, factor: float) -> None:
    with pytest.raises(ValueError, match="a backoff grows"):
        Backoff(first=timedelta(seconds=first), longest=timedelta(seconds=longest), factor=factor)
