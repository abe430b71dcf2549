"""Progress: how fast, until when, and what went wrong; on a terminal only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.cli.progress import Meter, time_left

Run = Callable[..., Any]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    meter = Meter(100.0)
    assert meter.rate(101.0, 10) == 10
    assert meter.rate(102.0, 30) == 15
    # The slow beginning is forgotten.
    assert meter.rate(106.0, 130) == 24
    assert meter.rate(112.0, 130) == 0


def test_where_no_time_has_passed_there_is_no_rate() -> None:
    assert Meter(100.0).rate(100.0, 5) == 0


@pytest.mark.parametrize(
    ("rate", "remaining", "told"),
    [
        (100.0, 800, "0:08 left"),
        (0.5, 45, "1:30 left"),
        (10.0, 36_610, "1:01:01 left"),
        (0.0, 10, ""),
        (5.0, 0, ""),
    ],
)
def test_what_is_left_reads_like_a_clock(rate: float, remaining: int, told: str) -> None:
    assert time_left(rate, remaining) == told


def test_a_terminal_shows_a_bar_and_a_pipe_shows_nothing(
    march: Path, run: Run, terminal: Run
) -> None:
    for day in (11, 12):
        link, published = f"https://www.example.com/{day}", f"2026-03-{day}T18:00"
        run("articles", "add", f"News of March {day}", link, "--published", published)
    assert run("send", "--outbox", "outbox", "--at", "2026-03-12T07:00").err == ""
    sending = ("send", "--yes", "--outbox", "outbox", "--at", "2026-03-13T07:00")
    shown = terminal(*sending, kind="xterm").out
    assert "Sending No. 2" in shown
    assert "2/2" in shown
