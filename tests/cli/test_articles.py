import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

SITE = """\
[site]
name = "Example News"
url = "https://www.example.com"
timezone = "Europe/Lisbon"
[newsletters.daily]
from = "Example News <news@example.com>"
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A newsletter's folder, and the working directory."""
    (tmp_path / "digest.toml").write_text(SITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ferry(site: Path, run: Run) -> Path:
    """The folder with article 1 in its database."""
    done = run(
        "articles", "add", "Ferry runs", "https://www.example.com/ferry", "--section", "Town"
    )
    assert (done.code, done.out) == (0, "article 1 added: Ferry runs\n")
    return site


def shown(run: Run) -> dict[str, Any]:
    article: dict[str, Any] = json.loads(run("articles", "show", "1", "--json").out)
    return article


def test_an_article_is_added_by_hand(site: Path, run: Run) -> None:
    (site / "images").mkdir()
    (site / "images" / "ferry.jpg").touch()
    done = run(
        *("articles", "add", "The <i>ferry</i> runs", "https://www.example.com/f?utm_source=x"),
        *("--summary", "It does.", "--tags", "sea, boats", "--priority", "3"),
        *("--published", "2026-07-01 10:00", "--image", "images/ferry.jpg", "--json"),
    )
    article = json.loads(done.out)["article"]
    assert article["title"] == "The ferry runs"
    assert article["url"] == "https://www.example.com/f"
    assert article["source"] == "Example News"
    assert article["tags"] == ["sea", "boats"]
    assert article["image_url"] == "images/ferry.jpg"
    assert article["published_at"] == "2026-07-01T09:00:00Z"


def test_the_same_address_again_corrects_it(ferry: Path, run: Run) -> None:
    address = "https://www.example.com/ferry"
    same = run("articles", "add", "Ferry runs", address, "--section", "Town")
    assert same.out == "article 1 is there already: Ferry runs\n"
    done = run("articles", "add", "Ferry runs again", address, "--section", "Town")
    assert done.out == "article 1 corrected: Ferry runs again\n"
    assert shown(run)["edited_at"] is not None


def test_a_correction_keeps_what_it_does_not_say(ferry: Path, run: Run) -> None:
    address = "https://www.example.com/ferry"
    run("articles", "add", "Ferry runs", address, "--summary", "At last.", "--priority", "5")
    run("articles", "add", "Ferry runs again", address, "--author", "Ana Luz")
    article = shown(run)
    assert (article["title"], article["section"]) == ("Ferry runs again", "Town")
    assert (article["summary"], article["priority"]) == ("At last.", 5)
    run("articles", "add", "Ferry runs again", address, "--summary", "")
    assert (shown(run)["summary"], shown(run)["author"]) == ("", "Ana Luz")


def test_a_correction_of_a_withdrawn_article_says_that_it_is(ferry: Path, run: Run) -> None:
    run("articles", "withdraw", "1")
    done = run("articles", "add", "Ferry runs again", "https://www.example.com/ferry")
    assert done.out == "article 1 corrected: Ferry runs again\n"
    assert done.err == "it is withdrawn; `digest articles restore 1` undoes that\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Ferry", "ferry.html"], "the link 'ferry.html' is relative"),
        (["", "https://example.com/"], "it has no title"),
        (["A", "https://example.com/", "--published", "soon"], "'soon' is not a date"),
        (
            ["A", "https://example.com/", "--image", "../a.jpg"],
            "not inside the newsletter's folder",
        ),
        (["A", "https://example.com/", "--image", "no.jpg"], "there is no image 'no.jpg' in the"),
    ],
)
def test_an_article_that_makes_no_sense_is_refused(
    site: Path, run: Run, arguments: list[str], complaint: str
) -> None:
    done = run("articles", "add", *arguments)
    assert done.code == 2
    assert complaint in done.err


def test_articles_are_listed_newest_first_in_the_sites_time(ferry: Path, run: Run) -> None:
    run(*("articles", "add", "Old", "https://example.com/o", "--published", "2020-07-01 10:00"))
    done = run("articles", "list")
    lines = done.out.splitlines()
    assert lines[0].split() == ["ID", "Published", "Section", "Source", "Title"]
    assert lines[1].split()[-2:] == ["Ferry", "runs"]
    assert "2020-07-01 10:00" in lines[2]
    assert len(run("articles", "list", "ferry").out.splitlines()) == 2
    assert len(run("articles", "list", "--since", "2021-01-01").out.splitlines()) == 2
    assert run("articles", "list", "--section", "Sea").err == "no article matches\n"
    assert run("articles", "list", "--since", "someday").code == 2


def test_a_list_says_that_it_is_cut_only_where_it_is(ferry: Path, run: Run) -> None:
    run("articles", "add", "Second", "https://example.com/2")
    assert run("articles", "list", "--limit", "2").err == ""
    assert run("articles", "list", "--limit", "0").err == ""
    assert run("articles", "list", "--limit", 2**63 - 1).err == ""
    done = run("articles", "list", "--limit", "1")
    assert len(done.out.splitlines()) == 2
    assert done.err == "these are the newest 1; --limit 0 lists all\n"
    assert len(json.loads(run("articles", "list", "--limit", "1", "--json").out)) == 1


def test_an_article_is_pinned_dropped_and_withdrawn(ferry: Path, run: Run) -> None:
    assert run("articles", "pin", "1").out == "pinned for daily: Ferry runs\n"
    assert shown(run)["newsletters"][0]["pinned"] is True
    assert run("articles", "unpin", "1").out == "no longer pinned for daily: Ferry runs\n"
    done = run("articles", "drop", "1", "--reason", "an advertisement")
    assert done.out == "dropped from daily: Ferry runs\n"
    assert shown(run)["newsletters"] == [
        {
            "newsletter": "daily",
            "pinned": False,
            "verdict": "dropped",
            "reason": "an advertisement",
            "edition": None,
        }
    ]
    assert "dropped: an advertisement" in run("articles", "show", "1").out
    assert run("articles", "withdraw", "1").out == "withdrawn: Ferry runs\n"
    assert run("articles", "pin", "1").code == 1
    assert run("articles", "restore", "1").out == "restored: Ferry runs\n"
    assert run("articles", "restore", "1").out == "was not withdrawn: Ferry runs\n"
    assert run("articles", "pin", "1").code == 0


def test_several_newsletters_ask_which(ferry: Path, run: Run) -> None:
    with (ferry / "digest.toml").open("a") as file:
        file.write('[newsletters.weekly]\nfrom = "Example News <news@example.com>"\n')
    assert run("articles", "pin", "1").code == 2
    assert run("articles", "pin", "1", "--newsletter", "weekly").code == 0


def test_an_article_that_is_not_there_is_told(ferry: Path, run: Run) -> None:
    for command in ("show", "pin", "unpin", "drop", "withdraw", "restore"):
        done = run("articles", command, "99")
        assert (done.code, done.err.splitlines()[0]) == (1, "error: there is no article 99")


def test_what_was_done_to_an_article_is_told_as_json(ferry: Path, run: Run) -> None:
    for command, result in (
        ("pin", "pinned"),
        ("unpin", "no longer pinned"),
        ("drop", "dropped"),
        ("withdraw", "withdrawn"),
    ):
        told = json.loads(run("articles", command, "1", "--json").out)
        assert (told["result"], told["article"]["title"]) == (result, "Ferry runs")


def test_a_reason_that_begins_with_the_verdict_is_told_once(ferry: Path, run: Run) -> None:
    run("articles", "drop", "1")
    assert "for daily      dropped: by the editor\n" in run("articles", "show", "1").out


def test_an_article_is_shown_in_the_sites_time_as_it_is_listed(ferry: Path, run: Run) -> None:
    options = ("--published", "2020-07-01T10:00Z", "--tags", "a,b", "--tags", "c")
    run("articles", "add", "Old", "https://example.com/o", *options)
    number = json.loads(run("articles", "list", "Old", "--json").out)[0]["id"]
    shown, listed = run("articles", "show", number).out, run("articles", "list", "Old").out
    at = next(line for line in shown.splitlines() if line.startswith("published at")).split()[2:4]
    assert " ".join(at) in listed
    assert "tags           a, b, c\n" in shown
    assert run("articles", "list", "--limit", "1").err.endswith("--limit 0 lists all\n")
    assert len(run("articles", "list", "--limit", "0").out.splitlines()) == 3
