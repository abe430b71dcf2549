import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def sent(march: Path, run: Run) -> Path:
    """An edition with one article, sent on a Thursday morning."""
    link = "https://www.example.com/pool"
    run(
        "articles",
        "add",
        "Pool opens",
        link,
        "--published",
        "2026-03-11T18:00",
        "--section",
        "Town",
    )
    assert run("send", "--outbox", "outbox", "--at", "2026-03-12T07:00").code == 0
    return march


def test_an_article_is_explained_by_words_of_its_title(sent: Path, run: Run) -> None:
    done = run("explain", "opens", "pool")
    assert done.code == 0
    title, published, blank, daily = done.out.splitlines()
    assert title == "article 2: Pool opens"
    assert published.startswith("  published 2026-03-11 18:00 WET, first seen ")
    assert blank == ""
    assert daily == "daily  in No. 1 (2026-03-12T07:00): the lead, place 1"


def test_an_article_says_what_would_become_of_it_now(sent: Path, run: Run) -> None:
    now = run("explain", "1", "--at", "2026-03-12T08:00").out
    assert "daily  not decided yet\n       now it is not published yet\n" in now


def test_an_article_is_explained_as_json(sent: Path, run: Run) -> None:
    shown = json.loads(run("explain", "https://www.example.com/pool", "--json").out)
    assert shown["article"]["id"] == 2
    (daily,) = shown["newsletters"]
    assert (daily["verdict"], daily["edition"]["number"], daily["now"]) == ("chosen", 1, None)


def test_words_that_fit_several_articles_list_them(sent: Path, run: Run) -> None:
    run("articles", "add", "Pool closes", "https://www.example.com/closed")
    done = run("explain", "pool")
    assert done.code == 2
    assert "Pool closes" in done.out
    assert "Pool opens" in done.out
    assert done.err == "several articles match 'pool': name one by its number\n"
    both = json.loads(run("explain", "pool", "--json").out)["could_be"]
    assert {article["id"] for article in both} == {2, 3}


def test_a_reader_is_told_what_became_of_the_message(sent: Path, run: Run) -> None:
    done = run("explain", "ADA@Example.com", "--edition", "1")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "ada@example.com"
    assert lines[2].startswith("daily  active since ")
    assert lines[3].startswith("No. 1  2026-03-12T07:00: the server accepted the message ")


def test_a_reader_is_told_when_the_next_one_is_due(sent: Path, run: Run) -> None:
    with (sent / "digest.toml").open("a", encoding="utf-8") as file:
        file.write('schedule = "weekdays at 07:00"\n')
    told = run("explain", "bo@example.com", "--at", "2026-03-27T08:00")
    assert "next   due 2026-03-30 07:00 WEST\n" in told.out
    shown = json.loads(run("explain", "bo@example.com", "--at", "2026-03-27T08:00", "--json").out)
    (daily,) = shown["newsletters"]
    assert daily["next_at"] == "2026-03-30T06:00:00Z"
    assert daily["delivery"]["state"] == "sent"
    run("subscribers", "suppress", "bo@example.com", "--reason", "complained")
    told = run("explain", "bo@example.com").out
    assert "suppressed since" in told
    assert "due" not in told


def test_nobody_elses_address_is_told(sent: Path, run: Run) -> None:
    assert "bo@" not in run("explain", "ada@example.com", "--json").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("eve@example.com",), "eve@example.com is not on any list and never was"),
        (("not an @ddress",), "no article has 'not an @ddress' as its number"),
        (("a@b",), "'a@b' is not an e-mail address"),
        (("nothing-like-it",), "no article has 'nothing-like-it' as its number"),
        (("2", "--edition", "1"), "--edition can only be used with a reader"),
        (("ada@example.com", "--edition", "9"), "--edition: daily has no edition No. 9"),
        (("2", "--newsletter", "hourly"), "there is no newsletter 'hourly'"),
        ((), ""),
    ],
)
def test_what_cannot_be_explained_is_wrong_usage(
    sent: Path, run: Run, arguments: tuple[str, ...], told: str
) -> None:
    done = run("explain", *arguments)
    assert done.code == 2
    assert told in done.err


def test_it_fits_a_terminal(sent: Path, run: Run, terminal: Run) -> None:
    run("articles", "add", "The harbour " * 12, "https://www.example.com/long")
    for what in ("ada@example.com", "pool", "harbour"):
        lines = terminal("explain", what).out.splitlines()
        assert max(map(len, lines[1:])) <= 80
