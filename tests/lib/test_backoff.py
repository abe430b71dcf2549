"""Exponential backoff."""

from datetime import timedelta

from digest.lib.backoff import doubling

MINUTE = timedelta(minutes=1)


def test_the_pause_doubles_up_to_its_limit() -> None:
    pauses = [doubling(MINUTE, failures=n, longest=10 * MINUTE) for n in range(1, 7)]
    assert [pause // MINUTE for pause in pauses] == [1, 2, 4, 8, 10, 10]


def test_it_never_overflows() -> None:
    assert doubling(MINUTE, failures=10_000, longest=30 * MINUTE) == 30 * MINUTE
