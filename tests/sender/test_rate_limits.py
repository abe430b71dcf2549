import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sender.rate_limits import Rate, Rates, SlidingWindow, TokenBucket
from digest.sender.relay_pool import RelayHealth

#: How long each message of a sender that is always ready waits on top of what it must, in seconds.
delays = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 3), st.floats(0, 500)),
    min_size=1,
    max_size=150,
)
starts = st.floats(0, 1e6)


def sent_at(rate: Rate, start: float, delays: list[float]) -> list[float]:
    """The times at which messages go, each as soon as the rate and its own delay allow."""
    now = start
    times = []
    for delay in delays:
        now += delay
        while (wait := rate.wait(now)) > 0:
            now = max(now + wait, math.nextafter(now, math.inf))
        rate = rate.taken(now)
        times.append(now)
    return times


def most_within(times: list[float], span: float) -> int:
    """The largest number of messages in any span of this length that is open at its end."""
    return max(sum(1 for t in times[i:] if t < first + span) for i, first in enumerate(times))


@given(per_second=st.integers(1, 400), start=starts, delays=delays)
def test_no_second_has_more_than_its_limit(
    per_second: int, start: float, delays: list[float]
) -> None:
    times = sent_at(TokenBucket.of(per_second), start, delays * 4)

    assert most_within(times, 1 - 1e-6) <= per_second


@given(per_second=st.floats(0.001, 0.999), start=starts, delays=delays)
def test_less_than_one_a_second_is_one_in_several(
    per_second: float, start: float, delays: list[float]
) -> None:
    times = sent_at(TokenBucket.of(per_second), start, delays)

    assert most_within(times, 1 / per_second - 1e-6) <= 1


@given(per_second=st.floats(1, 5000))
def test_what_a_second_may_have_is_nearly_used(per_second: float) -> None:
    times = sent_at(TokenBucket.of(per_second), 0, [0.0] * 300)

    took = times[-1] - times[0]
    assert took <= 299 / (per_second * 0.94)


@given(limit=st.integers(1, 40), window=st.floats(0.1, 1e5), start=starts, delays=delays)
def test_no_window_has_more_than_its_limit(
    limit: int, window: float, start: float, delays: list[float]
) -> None:
    times = sent_at(SlidingWindow(limit=limit, window=window), start, delays)

    assert most_within(times, window) <= limit


@given(limit=st.integers(1, 40), window=st.floats(1, 1e5))
def test_a_window_is_free_again_a_little_after_its_end(limit: int, window: float) -> None:
    times = sent_at(SlidingWindow(limit=limit, window=window), 0.0, [0.0] * (limit + 1))

    assert times[limit - 1] == 0.0
    assert window <= times[limit] <= window * 1.02


@given(st.lists(st.floats(0, 1e4), max_size=300))
def test_what_a_window_remembers_does_not_grow(gaps: list[float]) -> None:
    window = SlidingWindow(limit=10**9, window=3600)
    now = 0.0
    for gap in gaps:
        now += gap
        window = window.taken(now)
        assert len(window.counts) <= 62


def test_the_strictest_rate_decides() -> None:
    rates = Rates(rates=(TokenBucket.of(10), SlidingWindow(limit=3, window=60)))

    times = sent_at(rates, 0, [0.0] * 4)

    assert times == pytest.approx([0, 0.1, 0.2, 61])


def test_no_rate_never_waits() -> None:
    assert Rates().taken(1.0).wait(1.0) == 0.0


def test_one_failure_may_be_due_to_one_reader_and_three_in_a_row_are_the_relay() -> None:
    once = RelayHealth().failed(100)
    twice = once.failed(101)

    assert not once.is_suspended(100)
    assert not twice.is_suspended(101)
    assert twice.failed(102).is_suspended(131.9)
    assert not twice.failed(102).is_suspended(132)


def test_a_relay_is_suspended_twice_as_long_each_time_and_never_for_hours() -> None:
    health = RelayHealth().failed(0).failed(0)
    now, spans = 0.0, []
    for _ in range(40):
        health = health.failed(now)
        spans.append(health.suspended_until - now)
        now = health.suspended_until

    assert spans[:6] == [30, 60, 120, 240, 480, 900]
    assert set(spans[6:]) == {900}


def test_what_fails_along_with_it_counts_as_one_failure() -> None:
    suspended = RelayHealth().suspended(100)

    assert suspended.failed(101) == suspended
