from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from digest.sender.retry import GiveUp, next_attempt

START = datetime(2026, 3, 12, 7, tzinfo=UTC)
dice = st.lists(st.floats(0, 1), min_size=80, max_size=80)


def tries(dice: list[float], give_up_after: timedelta, took: timedelta) -> list[datetime]:
    """When each try of a delivery begins that is deferred every time, each taking so long."""
    begun = [START]
    for number, random in enumerate(dice, start=1):
        at = next_attempt(START, number, begun[-1] + took, random, give_up_after=give_up_after)
        if isinstance(at, GiveUp):
            return begun
        begun.append(at)
    return begun


@given(dice)
def test_the_first_tries_come_soon_and_the_later_ones_at_least_half_an_hour_apart(
    dice: list[float],
) -> None:
    begun = tries(dice, timedelta(days=5), timedelta(0))
    waits = [after - before for before, after in pairwise(begun)]

    assert timedelta(minutes=4) <= waits[0] <= timedelta(minutes=10)
    assert begun[2] - START <= timedelta(minutes=45)
    assert all(wait >= timedelta(minutes=30) for wait in waits[2:])
    assert all(wait <= timedelta(hours=5) for wait in waits)


@given(dice, st.timedeltas(timedelta(0), timedelta(days=10)), st.integers(0, 3600))
def test_nothing_is_tried_after_it_should_have_been_given_up(
    dice: list[float], give_up_after: timedelta, took: int
) -> None:
    begun = tries(dice, give_up_after, timedelta(seconds=took))

    assert begun[-1] - START <= give_up_after
    assert len(begun) < 80


@given(dice)
def test_three_days_are_used_to_their_end(dice: list[float]) -> None:
    begun = tries(dice, timedelta(days=3), timedelta(0))

    assert 17 <= len(begun) <= 30
    assert begun[-1] - START >= timedelta(days=3) - timedelta(hours=5)


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_no_number_of_tries_is_too_large(attempts: int, random: float) -> None:
    at = next_attempt(START, attempts, START, random, give_up_after=timedelta(days=1))

    assert isinstance(at, datetime)
    assert at - START <= timedelta(hours=5)


def test_not_all_come_back_at_one_moment() -> None:
    early, late = (
        next_attempt(START, 2, START, random, give_up_after=timedelta(days=1))
        for random in (0.0, 1.0)
    )
    assert isinstance(early, datetime)
    assert isinstance(late, datetime)
    assert late - early >= timedelta(minutes=5)


def test_who_gives_up_says_why() -> None:
    after = timedelta(days=3)
    assert next_attempt(START, 19, START + after, 0.5, give_up_after=after) == GiveUp(
        reason="given up: tried 19 times since 2026-03-12 07:00 UTC"
    )
    assert next_attempt(START, 1, START, 0.5, give_up_after=timedelta(minutes=1)) == GiveUp(
        reason="given up: tried once since 2026-03-12 07:00 UTC"
    )
