"""The sample newsletter: it is what its script builds, it is harmless, and it shows something."""

import re
import sqlite3
import struct
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest import sample
from digest.config.load import load
from digest.errors import UsageError
from digest.ingest.sources import gather
from digest.model.article import Verdict
from digest.model.edition import Placement
from digest.model.subscriber import MembershipStatus
from digest.selection import Selection, select
from digest.storage import migrations, subscriptions
from digest.storage.candidates import candidates
from digest.storage.database import Access, open_database

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "digest" / "sample"
TRACKED = ROOT / "subscribers.db"
BUILD = ROOT / "tools" / "sample" / "build.py"

# The edition that the sample is made for: Thursday, seven in the morning, by the site's clock.
CUTOFF = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)

RESERVED = re.compile(r"(?:.+\.)?(?:example\.com|example\.org|example)")
HOST = re.compile(r"https?://([^/\s\"'<>?#]+)")
ADDRESS = re.compile(r"[^\s@<>\"',;]+@([^\s@<>\"',;]+[^\s@<>\"',;.])")


def read_only(path: Path) -> sqlite3.Connection:
    """The file as it is: no lock, no journal, nothing beside it."""
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in a database but the times at which its schema was made."""
    connection = read_only(path)
    try:
        schema = connection.execute(
            "select name, type, tbl_name, sql from sqlite_master order by name"
        ).fetchall()
        tables = [
            row[0] for row in schema if row[1] == "table" and not row[0].startswith("sqlite_")
        ]
        content = {
            name: sorted(connection.execute(f'select * from "{name}"').fetchall(), key=repr)  # noqa: S608
            for name in tables
            if name != "_sqlite_migrations"
        }
        names = connection.execute("select migration_set, name from _sqlite_migrations order by id")
        return {"schema": schema, "migrations": names.fetchall(), **content}
    finally:
        connection.close()


def test_the_tracked_database_is_what_the_script_builds(tmp_path: Path) -> None:
    built = tmp_path / "built.db"
    run = subprocess.run(
        [sys.executable, str(BUILD), str(built)], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert dump(built) == dump(TRACKED), "run: python tools/sample/build.py"


def test_the_script_leaves_one_file_and_nothing_beside_it(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(BUILD), str(tmp_path / "built.db")], check=True, capture_output=True
    )
    assert [file.name for file in tmp_path.iterdir()] == ["built.db"]


def test_the_schema_is_the_newest() -> None:
    connection = read_only(TRACKED)
    try:
        assert migrations.applied(connection) == tuple(name for name, _ in migrations.STEPS)
    finally:
        connection.close()


def test_the_file_is_one_piece() -> None:
    connection = read_only(TRACKED)
    try:
        assert connection.execute("pragma journal_mode").fetchone() == ("delete",)
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("pragma foreign_key_check").fetchall() == []
    finally:
        connection.close()


def test_only_reserved_hosts_and_addresses_are_in_it() -> None:
    texts = [
        value
        for rows in dump(TRACKED).values()
        for row in rows
        for value in row
        if isinstance(value, str)
    ]
    texts += [file.read_text(encoding="utf-8") for file in (SAMPLE / "sources").iterdir()]
    texts += [(SAMPLE / "digest.toml").read_text(encoding="utf-8")]
    # The name of an XML namespace is no place that anybody visits.
    texts = [text.replace("http://purl.org/dc/elements/1.1/", "") for text in texts]
    hosts = {host.lower() for text in texts for host in HOST.findall(text)}
    domains = {domain.lower() for text in texts for domain in ADDRESS.findall(text)}
    assert {"gazette.example", "radio.example", "council.example"} <= hosts
    assert "xn--bcherei-n2a.example" in domains
    assert [name for name in hosts | domains if not RESERVED.fullmatch(name)] == []


def test_no_path_of_the_machine_that_built_it_is_in_it() -> None:
    texts = [value for rows in dump(TRACKED).values() for row in rows for value in row]
    assert not [text for text in texts if isinstance(text, str) and str(ROOT) in text]


def test_the_readers_are_as_promised() -> None:
    with open_database(TRACKED, Access.READ) as db:
        counts = subscriptions.counts(db, "daily")
        active = list(subscriptions.members(db, "daily", [MembershipStatus.ACTIVE]))
    assert counts == {
        MembershipStatus.ACTIVE: 19,
        MembershipStatus.PENDING: 2,
        MembershipStatus.PAUSED: 1,
        MembershipStatus.UNSUBSCRIBED: 2,
        MembershipStatus.SUPPRESSED: 1,
    }
    assert Counter(one.subscriber.language for one in active) == {
        None: 9, "en-GB": 2, "en": 1, "de": 2, "de-AT": 1, "fr": 2, "ar": 2,
    }  # fmt: skip
    assert len({one.subscriber.timezone for one in active}) >= 10
    assert sorted(one.topics for one in active if one.topics) == [
        ("Culture", "Letters & opinion"),
        ("Harbour",),
        ("Sport",),
    ]
    assert max(len(one.subscriber.name) for one in active) > 70


def test_the_articles_are_as_promised() -> None:
    connection = read_only(TRACKED)
    try:
        rows = connection.execute(
            "select source, title, summary, section, published_at from articles"
        ).fetchall()
    finally:
        connection.close()
    assert Counter(row[0] for row in rows) == {
        "The Harbour Gazette": 48,
        "Radio Varrow": 7,
        "Town council": 8,
    }
    days = {row[4][:10] for row in rows}
    assert days == {f"2026-03-{day:02}" for day in range(2, 12)}
    assert max(len(row[1]) for row in rows) > 135
    assert [row[1] for row in rows if not row[2]] == ["Tide tables for April"]
    assert not [row[1] for row in rows if "<" in row[1] or "&" in row[1]]


def the_edition() -> Selection:
    newsletter = load(SAMPLE / "digest.toml", {}).newsletter("daily")
    with open_database(TRACKED, Access.READ) as db:
        found = candidates(db, "daily", since=CUTOFF - newsletter.rules.max_age, cutoff=CUTOFF)
    selection = select(found.articles, newsletter.rules, cutoff=CUTOFF)
    assert isinstance(selection, Selection)
    return selection


def test_the_edition_of_the_day_is_full_and_led_by_the_bridge() -> None:
    stories = the_edition().stories
    assert len(stories) == 20
    assert stories[0].title == "The swing bridge turns again, eleven years and one lost key later"
    assert stories[0].image_url == "images/bridge.png"
    assert stories[0].deck
    assert [story.source for story in stories if story.placement is Placement.RELATED] == [
        "The Harbour Gazette",
        "Radio Varrow",
    ]
    assert list(dict.fromkeys(story.section for story in stories)) == [
        None, "Town", "Harbour", "Culture", "Sport", "Letters & opinion",
    ]  # fmt: skip
    assert stories[-1].placement is Placement.HEADLINE
    assert stories[-1].section is None


def test_the_edition_of_the_day_shows_why_articles_stay_out() -> None:
    verdicts = Counter(decision.verdict for decision in the_edition().decisions)
    assert verdicts == {
        Verdict.CHOSEN: 20,
        Verdict.DUPLICATE: 1,
        Verdict.EXPIRED: 1,
        Verdict.WITHDRAWN: 1,
    }


def test_every_image_travels_with_the_sample_and_is_small() -> None:
    connection = read_only(TRACKED)
    try:
        used = {
            path
            for (path,) in connection.execute(
                "select image_url from articles where image_url is not null"
            )
        }
    finally:
        connection.close()
    assert used == {f"images/{file.name}" for file in (SAMPLE / "images").iterdir()}
    for path in used:
        data = (SAMPLE / path).read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">II", data[16:24]) == (1200, 630)
        assert len(data) < 40_000
        assert (ROOT / "tools" / "sample" / path).with_suffix(".svg").is_file()


def test_a_copy_works_as_it_is_and_the_original_is_not_touched(tmp_path: Path) -> None:
    before = TRACKED.read_bytes()
    folder = tmp_path / "gazette"
    sample.copy_to(folder)
    settings = load(folder / "digest.toml", {})
    with open_database(settings.database) as db:
        db.execute("delete from subscriptions")
    assert settings.database.parent == folder
    assert all(Path(source.location).is_file() for source in settings.sources)
    assert (folder / "images" / "bridge.png").is_file()
    assert TRACKED.read_bytes() == before


def test_reading_the_sources_of_a_copy_again_adds_nothing(tmp_path: Path) -> None:
    sample.copy_to(tmp_path)
    settings = load(tmp_path / "digest.toml", {})
    with open_database(settings.database) as db:
        reports = gather(db, settings.sources, now=CUTOFF, site_url=settings.site.url)
    assert [(report.new, report.edited, report.error) for report in reports] == [(0, 0, None)] * 3
    assert sum(report.unchanged for report in reports) == 63


def test_a_copy_never_overwrites_anything(tmp_path: Path) -> None:
    (tmp_path / "subscribers.db").write_text("somebody's own")
    with pytest.raises(UsageError, match=r"subscribers\.db already"):
        sample.copy_to(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["subscribers.db"]
