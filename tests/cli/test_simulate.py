import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.cli.tables import drawn
from tests.cli.conftest import SITE

Run = Callable[..., Any]

DAILY = ("--schedule", "daily at 07:00")


@pytest.fixture
def stocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """A newsletter with three articles of 11 March 2026, and one of the 13th."""
    (tmp_path / "digest.toml").write_text(SITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for number, (title, published) in enumerate(
        (
            ("Pool opens", "2026-03-11T18:00"),
            ("Harbour wall rises", "2026-03-11T17:00"),
            ("Ferry timetable", "2026-03-11T16:00"),
            ("Market returns", "2026-03-13T12:00"),
        )
    ):
        link = f"https://www.example.com/{number}"
        assert run("articles", "add", title, link, "--published", published).code == 0
    return tmp_path


def test_slots_bars_and_what_it_comes_to(stocked: Path, run: Run) -> None:
    done = run("simulate", *DAILY, "--weeks", 1, "--at", "2026-03-14T12:00", "--max-items", 2)

    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "daily: daily at 07:00, min_items 1, max_items 2, max_age 2d;"
        " 2026-03-07 12:00 to 2026-03-14 12:00 (Europe/Lisbon); 4 articles\n"
        "\n"
        "Slot                  No.  Stories  Waiting  Lead, or – the reason for none\n"
        "Sun 2026-03-08 07:00    ·        ·        0  – there is nothing new: the next article is"
        " dated 2026-03-11 16:00 (the same for 3 more slots, until Wed 2026-03-11 07:00)\n"
        "Thu 2026-03-12 07:00    1        2        1  Pool opens\n"
        "Fri 2026-03-13 07:00    2        1        0  Ferry timetable\n"
        "Sat 2026-03-14 07:00    3        1        0  Market returns\n"
        "\n"
        "Stories of each edition:\n"
        "Thu 2026-03-12 07:00  ██ 2\n"
        "Fri 2026-03-13 07:00  █ 1\n"
        "Sat 2026-03-14 07:00  █ 1\n"
        "\n"
        "3 editions, 4 slots skipped\n"
        "stories of an edition: median 1, least 1, most 2\n"
        "4 of 4 articles were in an edition, 0 in none\n"
    )


def test_json_has_everything(stocked: Path, run: Run) -> None:
    options = (*DAILY, "--weeks", 1, "--until", "2026-03-12T12:00", "--max-age", "14h")
    told = json.loads(run("simulate", *options, "--json").out)

    assert told["rules"] == {
        "schedule": ["daily at 07:00"],
        "min_items": 1,
        "max_items": 24,
        "max_per_section": None,
        "max_per_source": None,
        "max_age": "14h",
    }
    assert (told["editions"], told["skipped"], told["days_off"]) == (1, 6, 0)
    assert told["slots"][-1] == {
        "slot": "2026-03-12T07:00",
        "due_at": "2026-03-12T07:00:00Z",
        "number": 1,
        "reason": "",
        "lead": "Pool opens",
        "stories": [1, 2],
        "sections": [{"section": None, "stories": 2}],
        "waiting": 0,
        "went_too_old": 0,
        "duplicates": 0,
    }
    assert told["slots"][0]["reason"].startswith("there is nothing new")
    assert told["stories"] == {
        "total": 2,
        "median": 2,
        "least": 2,
        "most": 2,
        "sections": [{"section": None, "stories": 2}],
    }
    assert told["unsent"] == [
        {"why": "older than 14 hours (max_age) when the next edition came", "articles": 1}
    ]


def test_a_newsletter_without_a_schedule_wants_one(stocked: Path, run: Run) -> None:
    done = run("simulate")
    assert done.code == 2
    assert done.err == (
        "error: daily has no schedule: it is sent by hand only\n"
        '  → Try one: `digest simulate daily --schedule "weekdays at 07:00"`.\n'
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ("--schedule", "mondys at 7"),
            "--schedule: found 'mondys at 7', expected a time from 00:00 to 23:59, not 7."
            " Did you mean 'mondays at 07:00'?",
        ),
        (
            (*DAILY, "--max-age", "soon"),
            "--max-age: found 'soon', expected a span of time from 1m up, such as 36h or 7d",
        ),
        ((*DAILY, "--max-items", 0), "--max-items: found '0', expected at least 1"),
        ((*DAILY, "--weeks", 1000), "--weeks: found '1000', expected at most 520"),
        (
            (*DAILY, "--min-items", 30),
            "--min-items: found min_items 30 and max_items 24,"
            " expected min_items to be at most max_items",
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(
    stocked: Path, run: Run, options: tuple[Any, ...], complaint: str
) -> None:
    done = run("simulate", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {complaint}\n")


def test_a_time_without_articles_says_where_to_look(stocked: Path, run: Run) -> None:
    done = run("simulate", *DAILY, "--weeks", 1, "--at", "2025-03-14T12:00")
    assert done.code == 0
    assert "0 editions, 7 slots skipped\n" in done.out
    assert done.err == "no article was published in this time; `--until TIME` simulates another\n"


def test_a_span_without_a_slot_says_so(stocked: Path, run: Run) -> None:
    done = run("simulate", "--schedule", "0 7 29 feb *", "--weeks", 1, "--at", "2026-03-14T12:00")
    assert done.code == 0
    assert done.err == "daily has no slot in this time; try a larger --weeks\n"


def test_a_long_span_is_told_by_weeks_on_a_terminal(stocked: Path, run: Run, terminal: Run) -> None:
    options = (*DAILY, "--at", "2026-03-14T12:00", "--weeks", 12)
    shown = terminal("simulate", *options, columns=80).out

    assert (
        "2026-03-09         2        4        4        0  there is nothing new: the next\n" in shown
    )
    assert "2026-03-09  ████ 4\n" in shown
    table = shown.partition("\n\n")[2]
    assert max(map(len, table.splitlines())) <= 80
    assert len(shown.splitlines()) < 40
    # In a pipe, each edition has its line all the same.
    assert "Sat 2026-03-14 07:00    2        1        0  Market returns\n" in (
        run("simulate", *options).out
    )


def test_where_blocks_cannot_be_shown_there_are_plain_bars(
    stocked: Path, terminal: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown = terminal("simulate", *DAILY, "--at", "2026-03-14T12:00", "--weeks", 1).out
    assert "Thu 2026-03-12 07:00  ### 3\n" in shown
    assert shown.isascii()


def test_a_bar_above_zero_is_seen() -> None:
    assert drawn(0, 1.0, blocks=True) == []
    assert drawn(1, 0.001, blocks=True) == ["▏"]
    assert drawn(1, 0.001, blocks=False) == ["#"]
    assert drawn(20, 0.125, blocks=True) == ["██▌"]
