import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

SCHEDULE = """
schedule = "weekdays at 07:00"
days_off = ["2026-03-13"]
min_items = 2
[newsletters.weekly]
from = "Example News <news@example.com>"
schedule = "fridays at 16:30"
approval = "required"
on_silence = "skip"
"""


@pytest.fixture
def planned(march: Path, run: Run) -> Path:
    with (march / "digest.toml").open("a", encoding="utf-8") as file:
        file.write(SCHEDULE)
    run(
        "articles", "add", "Pool opens", "https://www.example.com/pool", "--published", "2026-03-11"
    )
    return march


def test_it_is_read_at_a_glance(planned: Path, run: Run) -> None:
    done = run("plan", "--at", "2026-03-12T06:00", "--days", "5")
    assert done.code == 0
    assert done.out == (
        "daily: weekdays at 07:00, Europe/Lisbon\n"
        "Slot                      UTC                What\n"
        "Thu 2026-03-12 07:00 WET  2026-03-12 07:00Z  an edition\n"
        "Fri 2026-03-13            ·                  day off\n"
        "Mon 2026-03-16 07:00 WET  2026-03-16 07:00Z  an edition\n"
        "2 readers\n"
        "!  no edition would be made now: 1 new story, and an edition needs 2 (min_items)\n"
        "\n"
        "weekly: fridays at 16:30, Europe/Lisbon\n"
        "Slot                      UTC                What\n"
        "Fri 2026-03-13 16:30 WET  2026-03-13 16:30Z  a draft for approval at 14:30 WET;"
        " if nobody approves it, it is skipped\n"
        "0 readers, 1 story for the next edition by now\n"
        "!  no active readers; `digest subscribers add` or `import` adds some\n"
    )
    assert done.err == (
        "no `digest run` is running: nothing is sent on schedule until you start it, or run"
        " `digest run --once`\n"
    )


def test_it_fits_a_terminal(planned: Path, terminal: Run) -> None:
    shown = terminal("plan", "--at", "2026-03-12T06:00").out
    lines = [line for line in shown.splitlines() if "digest run" not in line]
    assert max(map(len, lines)) <= 80


def test_the_clock_change_moves_the_instant_and_not_the_hour(planned: Path, run: Run) -> None:
    shown = json.loads(
        run("plan", "daily", "--at", "2026-03-27T06:00", "--days", "4", "--json").out
    )
    (daily,) = shown["newsletters"]
    assert [(slot["local"], slot["at"]) for slot in daily["slots"]] == [
        ("2026-03-27T07:00+00:00", "2026-03-27T07:00:00Z"),
        ("2026-03-30T07:00+01:00", "2026-03-30T06:00:00Z"),
        ("2026-03-31T07:00+01:00", "2026-03-31T06:00:00Z"),
    ]
    assert shown["service"] is None


def test_an_unknown_newsletter_is_wrong_usage(planned: Path, run: Run) -> None:
    done = run("plan", "daily", "hourly")
    assert done.code == 2
    assert "there is no newsletter 'hourly'; digest.toml has daily, weekly" in done.err


def test_one_that_is_named_twice_is_shown_once(planned: Path, run: Run) -> None:
    assert run("plan", "weekly", "weekly").out.count("fridays") == 1


def test_of_very_many_slots_the_first_are_shown(planned: Path, run: Run) -> None:
    done = run("plan", "daily", "--days", "100", "--at", "2026-03-14T00:00")
    assert done.out.count("an edition\n") == 50
    assert "… and 20 more slots; --json lists all\n" in done.err
