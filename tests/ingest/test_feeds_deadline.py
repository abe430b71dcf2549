import threading
import time
from contextlib import suppress

import pytest

from digest.ingest.feeds import FeedTimeout, run_within


def test_work_that_is_done_in_time_gives_its_result() -> None:
    assert run_within(60, lambda: "done") == "done"


def test_an_error_of_the_work_comes_out_as_itself() -> None:
    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_within(60, fail)


def test_work_that_never_ends_is_ended_even_if_it_catches_everything() -> None:
    def stubborn() -> None:
        while True:
            try:
                int("x")
            except Exception:  # noqa: BLE001, S112 (what feed parsers do)
                continue

    with pytest.raises(FeedTimeout):
        run_within(0.05, stubborn)


def test_nothing_is_raised_once_the_work_is_done() -> None:
    before = threading.active_count()
    for _ in range(200):
        with suppress(FeedTimeout):  # the machine may be that slow
            run_within(0.001, lambda: None)
    end = time.monotonic() + 0.05
    while threading.active_count() > before or time.monotonic() < end:
        pass  # a late exception would be raised here
