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
    """A newsletter's folder without sources, and the working directory."""
    (tmp_path / "digest.toml").write_text(SITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def titles(run: Run) -> list[str]:
    listed = json.loads(run("articles", "list", "--json").out)
    return [article["title"] for article in listed]


def test_a_file_is_read_in_one_command(site: Path, run: Run) -> None:
    (site / "headlines.csv").write_text(
        "id,title,url,source,section,published_at,story\n"
        "1,Ferry runs  ...,http://example.com/f?a=1&amp;b=2,The Post \\(blog\\),Town,"
        "2026-03-10T08:00:00+00:00,x\n",
        encoding="utf-8",
    )
    done = run("ingest", "headlines.csv")
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [
        ["Source", "New", "Edited", "Unchanged", "Rejected"],
        ["headlines", "1", "0", "0", "0"],
    ]
    again = json.loads(run("ingest", "headlines.csv", "--json").out)
    assert again == [
        {
            "source": "headlines",
            "new": 0,
            "edited": 0,
            "unchanged": 1,
            "not_modified": False,
            "error": None,
            "rejected": [],
            "notes": [],
        }
    ]
    article = json.loads(run("articles", "list", "--json").out)[0]
    assert (article["title"], article["source"]) == ("Ferry runs…", "The Post (blog)")
    assert article["url"] == "http://example.com/f?a=1&b=2"


def test_rejected_rows_are_listed_with_line_and_reason(site: Path, run: Run) -> None:
    (site / "a.csv").write_text("title,url\nFerry,https://example.com/f\nBridge,\n")
    done = run("ingest", "a.csv")
    assert done.code == 0
    assert done.err == "one row was rejected; all others were stored\n"
    assert "line 3" in done.out
    assert "it has no url" in done.out
    assert titles(run) == ["Ferry"]


def test_many_rejected_rows_are_listed_on_demand(site: Path, run: Run) -> None:
    (site / "a.csv").write_text("title,url\n" + "Bridge,x y\n" * 50)
    short = run("ingest", "a.csv")
    assert short.code == 1
    assert "50 rows were rejected; nothing was stored" in short.err
    assert short.out.count("holds white space") == 20
    assert "and 30 more; --all-rejected or --json lists all" in short.err
    assert run("ingest", "a.csv", "--all-rejected").out.count("holds white space") == 50
    assert len(json.loads(run("ingest", "a.csv", "--json").out)[0]["rejected"]) == 50


def test_a_row_that_could_be_mended_says_how(site: Path, run: Run) -> None:
    (site / "a.csv").write_text(
        "title,url,date\nFerry,https://example.com/f,03/04/2026\n"
        "Bridge,https://example.com/b,05/04/2026\nPool,https://example.com/p,25/04/2026\n"
    )
    done = run("ingest", "a.csv")
    assert done.code == 0
    assert done.err.count("--dates day-first") == 1
    assert titles(run) == ["Pool"]
    assert run("ingest", "a.csv", "--dates", "day-first").err == ""
    days = [one["published_at"][:10] for one in json.loads(run("articles", "list", "--json").out)]
    assert sorted(days) == ["2026-04-02", "2026-04-04", "2026-04-24"]  # midnight in Lisbon
    assert run("ingest", "a.csv", "--dates", "sideways").code == 2


def test_a_guessed_encoding_is_told_with_the_file(site: Path, run: Run) -> None:
    (site / "a.csv").write_bytes("title,url\nCafé,https://example.com/c\n".encode("cp1252"))
    done = run("ingest", "a.csv")
    assert done.code == 0
    assert done.err.startswith("a, line 2: it is not UTF-8, so the file was read as Windows-1252")
    assert titles(run) == ["Café"]


def test_a_file_without_a_name_is_from_the_site(site: Path, run: Run) -> None:
    (site / "today.csv").write_text("title,url\nFerry,https://example.com/f\n")
    run("ingest", "today.csv")
    assert json.loads(run("articles", "list", "--json").out)[0]["source"] == "Example News"
    feed = "<rss version='2.0'><channel><title>The Ferry</title><item><title>Pool</title>"
    (site / "today.xml").write_text(feed + "<link>/p</link></item></channel></rss>")
    run("ingest", "today.xml")
    pool = json.loads(run("articles", "list", "Pool", "--json").out)[0]
    assert (pool["source"], pool["url"]) == ("The Ferry", "https://www.example.com/p")


def test_configured_sources_are_read_by_default_and_by_name(site: Path, run: Run) -> None:
    (site / "one.csv").write_text("title,url\nOne,https://example.com/1\n")
    (site / "two.jsonl").write_text('{"headline": "Two", "link": "https://example.com/2"}\n')
    with (site / "digest.toml").open("a") as file:
        file.write('[[sources]]\nname = "one"\npath = "one.csv"\n')
        file.write('[[sources]]\nname = "two"\npath = "two.jsonl"\nsection = "Town"\n')
    assert run("ingest", "two").code == 0
    assert titles(run) == ["Two"]
    assert run("ingest").code == 0
    assert sorted(titles(run)) == ["One", "Two"]


def test_a_source_that_cannot_be_read_is_told_and_the_rest_goes_in(site: Path, run: Run) -> None:
    (site / "one.csv").write_text("title,url\nOne,https://example.com/1\n")
    done = run("ingest", "none.csv", "one.csv")
    assert done.code == 1
    assert "none" in done.out
    assert "not read" in done.out
    assert f"error: none: there is no file {site / 'none.csv'}" in done.err
    assert titles(run) == ["One"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "there is nothing to read: digest.toml has no [[sources]]"),
        (["papr"], "'papr' is no source and no file"),
        (["notes.txt"], "the format of notes.txt is unknown"),
        (["."], ". is a folder, expected a file, a URL or the name of a source"),
        (["a.csv", "b.csv", "--name", "x"], "--name needs exactly one source"),
        (["a.csv", "--delimiter", "ab"], "--delimiter: found 'ab', expected one character"),
        (["a.csv", "--source-timezone", "Mars/One"], "there is no time zone 'Mars/One'"),
    ],
)
def test_wrong_usage_is_told(site: Path, run: Run, arguments: list[str], complaint: str) -> None:
    (site / "notes.txt").touch()
    done = run("ingest", *arguments)
    assert done.code == 2
    assert complaint in done.err


def test_a_name_that_is_nearly_one_is_told_with_it(site: Path, run: Run) -> None:
    with (site / "digest.toml").open("a") as file:
        file.write('[[sources]]\nname = "paper"\npath = "one.csv"\n')
    done = run("ingest", "papr")
    assert "'papr' is no source and no file; digest.toml has paper. Did you mean paper?" in done.err


def test_options_say_what_a_file_does_not(site: Path, run: Run) -> None:
    (site / "export.txt").write_bytes(
        "title\turl\tpublished\nCafé\thttps://example.com/c\t2026-07-01 10:00\n".encode("cp1252")
    )
    done = run(
        *("ingest", "export.txt", "--kind", "csv", "--delimiter", "tab", "--encoding", "cp1252"),
        *("--name", "cms", "--section", "Town", "--source-timezone", "America/New_York"),
    )
    assert done.code == 0, done.err
    article = json.loads(run("articles", "list", "--json").out)[0]
    assert article["title"] == "Café"
    assert article["source"] == "cms"
    assert article["section"] == "Town"
    assert article["published_at"] == "2026-07-01T14:00:00Z"


def test_an_address_of_the_own_network_needs_leave(site: Path, run: Run) -> None:
    done = run("ingest", "http://127.0.0.1:9/feed.xml")
    assert done.code == 1
    assert "the host 127.0.0.1 has the address 127.0.0.1, which is not public" in done.err
    allowed = run("ingest", "http://127.0.0.1:9/feed.xml", "--allow-private")
    assert "there is no connection" in allowed.err


def test_markup_for_terminals_in_a_source_is_printed_as_it_is(site: Path, run: Run) -> None:
    (site / "a.csv").write_text("title,url\n[red]Ferry[/red],\n")
    assert "[red]Ferry[/red]" in run("ingest", "a.csv").out
