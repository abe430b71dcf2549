from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.errors import LedgerError
from digest.model.article import NewArticle, Verdict
from digest.storage import articles
from digest.storage.article_upsert import UpsertResult, upsert
from digest.storage.database import Access, Database, open_database

MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db", Access.WRITE) as database:
        yield database


def article(guid: str | None = "1", **given: Any) -> NewArticle:
    url = given.pop("url", f"https://example.com/{guid}")
    usual: dict[str, Any] = {
        "identity": f"guid:paper:{guid}" if guid else f"url:{url}",
        "guid": guid,
        "source": "paper",
        "url": url,
        "canonical_url": url,
        "title": f"Title {guid}",
        "published_at": MONDAY,
    }
    return NewArticle(**(usual | given))


def content_of(db: Database, article_id: int) -> str:
    """The body of an article as it is stored, without which no edit of it would be noticed."""
    row = db.row("select content from contents where article_id = ?", (article_id,))
    return str(row["content"]) if row else ""


def titles(db: Database) -> list[str]:
    return [found.title for found in articles.search(db)]


def test_an_article_comes_back_as_it_was_kept(db: Database) -> None:
    told = article(
        summary="A deck",
        content="<p>Body</p>",
        image_url="images/a.jpg",
        author="Ana",
        section="Town",
        tags=("sea", "Ílhavo"),
        priority=3,
        expires_at=TUESDAY,
    )
    assert upsert(db, [told], TUESDAY) == UpsertResult(new=1)
    found = articles.find(db, 1)
    assert found is not None
    assert (found.title, found.summary, found.section, found.tags) == (
        "Title 1",
        "A deck",
        "Town",
        ("sea", "Ílhavo"),
    )
    assert (found.published_at, found.first_seen_at, found.expires_at) == (MONDAY, TUESDAY, TUESDAY)
    assert found.edited_at is None
    assert content_of(db, 1) == "<p>Body</p>"
    assert articles.find_by_identity(db, "guid:paper:1") == found


def test_reading_the_same_again_changes_nothing(db: Database) -> None:
    told = [article(str(n), tags=("a",), content="<p>x</p>") for n in range(1_200)]
    assert upsert(db, told, MONDAY) == UpsertResult(new=1_200)
    before = db.connection.total_changes
    assert upsert(db, told, TUESDAY) == UpsertResult(unchanged=1_200)
    assert db.connection.total_changes == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Better title"),
        ("url", "https://example.com/better"),
        ("summary", "Now with a deck"),
        ("image_url", "https://example.com/a.jpg"),
        ("section", "Sea"),
        ("tags", ("new",)),
        ("priority", 9),
        ("published_at", TUESDAY),
        ("expires_at", TUESDAY),
        ("content", "<p>More</p>"),
    ],
)
def test_a_later_edit_is_followed_and_dated(db: Database, field: str, value: object) -> None:
    upsert(db, [article()], MONDAY)
    assert upsert(db, [replace(article(), **{field: value})], TUESDAY) == UpsertResult(edited=1)  # type: ignore[arg-type]  # one of them fits
    found = articles.find(db, 1)
    assert found is not None
    assert found.edited_at == TUESDAY
    assert found.first_seen_at == MONDAY
    stored = content_of(db, 1) if field == "content" else getattr(found, field)
    assert stored == value


def test_content_that_its_source_takes_away_goes(db: Database) -> None:
    upsert(db, [article(content="<p>Body</p>")], MONDAY)
    assert upsert(db, [article()], TUESDAY) == UpsertResult(edited=1)
    assert content_of(db, 1) == ""


def test_an_article_without_a_date_has_that_of_its_first_sight(db: Database) -> None:
    undated = article(published_at=None)
    upsert(db, [undated], MONDAY)
    assert upsert(db, [undated], TUESDAY) == UpsertResult(unchanged=1)
    found = articles.find(db, 1)
    assert found is not None
    assert found.published_at == MONDAY


def test_a_date_that_goes_missing_stays(db: Database) -> None:
    upsert(db, [article()], TUESDAY)
    assert upsert(db, [article(published_at=None)], TUESDAY) == UpsertResult(unchanged=1)


def test_a_feed_that_changes_its_guids_repeats_nothing(db: Database) -> None:
    upsert(db, [article(str(n), url=f"https://example.com/{n}") for n in range(20)], MONDAY)
    again = [
        article(f"new-{n}", url=f"https://example.com/{n}", title=f"Title {n}") for n in range(20)
    ]
    assert upsert(db, again, TUESDAY) == UpsertResult(unchanged=20)
    assert upsert(db, again, TUESDAY) == UpsertResult(unchanged=20)
    # From now on it is known by its new GUID, so that a new title is an edit.
    assert upsert(db, [replace(again[3], title="Edited")], TUESDAY) == UpsertResult(edited=1)


@pytest.mark.parametrize(("first", "second"), [("1", None), (None, "1")])
def test_a_guid_that_comes_or_goes_repeats_nothing(
    db: Database, first: str | None, second: str | None
) -> None:
    url = "https://example.com/a"
    upsert(db, [article(first, url=url, title="Old")], MONDAY)
    assert upsert(db, [article(second, url=url, title="New")], TUESDAY) == UpsertResult(edited=1)
    assert upsert(db, [article(second, url=url, title="New")], TUESDAY) == UpsertResult(unchanged=1)
    assert titles(db) == ["New"]


def test_a_feed_whose_items_all_link_to_the_homepage_does_not_starve(db: Database) -> None:
    home = "https://example.com/"

    def bulletin(guid: str, at: datetime) -> NewArticle:
        return article(
            guid, url=home, title="Morning bulletin", published_at=at, url_identifies=False
        )

    assert upsert(db, [bulletin("1", MONDAY)], MONDAY) == UpsertResult(new=1)
    both = [bulletin("2", TUESDAY), bulletin("1", MONDAY)]
    assert upsert(db, both, TUESDAY) == UpsertResult(new=1, unchanged=1)
    # And yet changed GUIDs do not repeat them.
    assert upsert(db, [bulletin("x", TUESDAY)], TUESDAY) == UpsertResult(unchanged=1)


def test_items_without_guids_that_share_a_link_live_by_their_titles(db: Database) -> None:
    home = "https://example.com/"
    told = [
        article(None, url=home, identity=f"title:{title}", title=title, url_identifies=False)
        for title in ("One", "Two")
    ]
    assert upsert(db, told, MONDAY) == UpsertResult(new=2)
    assert upsert(db, told, TUESDAY) == UpsertResult(unchanged=2)


def test_the_first_of_two_with_one_identity_counts(db: Database) -> None:
    assert upsert(db, [article(title="First"), article(title="Second")], MONDAY) == UpsertResult(
        new=1, unchanged=1
    )
    assert upsert(db, [article(title="First"), article(title="Second")], MONDAY) == UpsertResult(
        unchanged=2
    )
    assert titles(db) == ["First"]


def test_the_first_counts_even_where_many_lie_between(db: Database) -> None:
    told = [article(str(n)) for n in range(600)] + [article("0", title="Second")]
    assert upsert(db, told, MONDAY) == UpsertResult(new=600, unchanged=1)
    assert upsert(db, told, TUESDAY) == UpsertResult(unchanged=601)


def test_the_first_counts_even_where_the_second_is_known_by_its_link(db: Database) -> None:
    url = "https://example.com/a"
    stored = [
        article(url=url, title="Ferry", source=source, identity=f"guid:{source}:1")
        for source in ("paper", "gazette")
    ]
    assert upsert(db, stored, MONDAY) == UpsertResult(new=2)
    told = [replace(known, identity="guid:aggregator:1") for known in stored]
    assert upsert(db, told, TUESDAY) == UpsertResult(unchanged=2)
    assert upsert(db, told, TUESDAY) == UpsertResult(unchanged=2)


def test_another_sources_copy_leaves_the_first_as_it_is(db: Database) -> None:
    url = "https://example.com/a"
    upsert(db, [article(None, url=url, title="Ours")], MONDAY)
    theirs = article(None, url=url, title="Theirs", source="aggregator")
    assert upsert(db, [theirs], TUESDAY) == UpsertResult(unchanged=1)
    assert titles(db) == ["Ours"]


def test_the_same_link_from_two_feeds_is_two_articles(db: Database) -> None:
    upsert(db, [article("1", url="https://example.com/a")], MONDAY)
    other = article("1", url="https://example.com/a", identity="guid:other:1", source="other")
    assert upsert(db, [other], MONDAY) == UpsertResult(new=1)


def test_nothing_is_kept_of_a_source_that_breaks_in_the_middle(db: Database) -> None:
    broken = article("2", title="")
    with pytest.raises(Exception, match="CHECK constraint failed"):
        upsert(db, [article("1"), broken], MONDAY)
    assert titles(db) == []


def test_articles_are_found_by_words_section_source_and_time(db: Database) -> None:
    upsert(
        db,
        [
            article("1", title="Ferry runs", section="Town", published_at=MONDAY),
            article("2", title="100% of bridges", section="Sea", summary="No ferry"),
            article("3", title="Rain", source="weather", published_at=TUESDAY),
        ],
        TUESDAY,
    )
    assert [a.id for a in articles.search(db)] == [3, 2, 1]
    assert [a.id for a in articles.search(db, most=1)] == [3]
    assert [a.id for a in articles.search(db, text="ferry")] == [2, 1]
    assert [a.id for a in articles.search(db, text="%")] == [2]
    assert [a.id for a in articles.search(db, section="town")] == [1]
    assert [a.id for a in articles.search(db, source="Weather")] == [3]
    assert [a.id for a in articles.search(db, since=TUESDAY)] == [3]
    assert articles.search(db, text="nothing") == ()


def verdict(db: Database, newsletter: str = "daily") -> tuple[bool, Verdict | None, str | None]:
    fate = next(f for f in articles.article_decisions(db, 1) if f.newsletter == newsletter)
    return (
        fate.pinned,
        fate.decision.verdict if fate.decision else None,
        fate.decision.reason if fate.decision else None,
    )


def choose(db: Database) -> None:
    """Article 1 has been in No. 7 of daily."""
    db.execute(
        "insert into editions (id, newsletter, slot, number, state, since, cutoff, last_article_id,"
        " nonce, subject, created_at)"
        " values (1, 'daily', '2026-03-09T07:00', 7, 'sent', '', '', 1, 'n', 's', '')"
    )
    db.execute(
        "insert into decisions values ('daily', 1, 'chosen', 'the lead', 1, '2026-03-09T07:00:00Z')"
    )


def test_a_pin_stands_until_it_is_taken_back(db: Database) -> None:
    upsert(db, [article()], MONDAY)
    articles.pin(db, "daily", 1, MONDAY)
    articles.pin(db, "daily", 1, TUESDAY)
    assert verdict(db) == (True, None, None)
    assert articles.unpin(db, "daily", 1)
    assert not articles.unpin(db, "daily", 1)
    assert articles.article_decisions(db, 1) == ()


def test_a_drop_is_a_decision_that_a_pin_takes_back(db: Database) -> None:
    upsert(db, [article()], MONDAY)
    articles.pin(db, "daily", 1, MONDAY)
    articles.drop(db, "daily", 1, reason="an advertisement", now=MONDAY)
    assert verdict(db) == (False, Verdict.DROPPED, "an advertisement")
    articles.pin(db, "daily", 1, TUESDAY)
    assert verdict(db) == (True, Verdict.WAITING, "pinned by the editor")


def test_what_was_in_an_edition_is_neither_pinned_nor_dropped(db: Database) -> None:
    upsert(db, [article()], MONDAY)
    choose(db)
    with pytest.raises(LedgerError, match=r"article 1 is in No\. 7 of daily already"):
        articles.pin(db, "daily", 1, TUESDAY)
    with pytest.raises(LedgerError, match=r"article 1 is in No\. 7 of daily already"):
        articles.drop(db, "daily", 1, reason="late", now=TUESDAY)
    articles.drop(db, "weekly", 1, reason="another newsletter", now=TUESDAY)
    assert verdict(db) == (False, Verdict.CHOSEN, "the lead")
    assert articles.article_decisions(db, 1)[0].edition == 7


def test_what_was_withdrawn_is_not_pinned_and_reading_it_again_does_not_bring_it_back(
    db: Database,
) -> None:
    upsert(db, [article()], MONDAY)
    assert articles.mark_withdrawn(db, 1, MONDAY).withdrawn_at == MONDAY
    assert articles.mark_withdrawn(db, 1, TUESDAY).withdrawn_at == MONDAY
    upsert(db, [article(title="Edited")], TUESDAY)
    found = articles.find(db, 1)
    assert found is not None
    assert found.withdrawn_at == MONDAY
    with pytest.raises(LedgerError, match="article 1 cannot be pinned: it was withdrawn"):
        articles.pin(db, "daily", 1, TUESDAY)


def test_an_article_that_is_not_there_is_told(db: Database) -> None:
    assert articles.find(db, 5) is None
    with pytest.raises(LedgerError, match="there is no article 5"):
        articles.pin(db, "daily", 5, MONDAY)
    with pytest.raises(LedgerError, match="there is no article 5"):
        articles.drop(db, "daily", 5, reason="", now=MONDAY)
    with pytest.raises(LedgerError, match="there is no article 5"):
        articles.mark_withdrawn(db, 5, MONDAY)


def test_finding_what_is_stored_uses_the_indexes(db: Database) -> None:
    from digest.storage.article_upsert import _STORED

    plan = db.rows("explain query plan " + _STORED, {"identities": "[]", "urls": "[]"})
    scans = [row["detail"] for row in plan if "SCAN" in row["detail"]]
    assert all("json_each" in scan or "CO-ROUTINE" in scan or "LIST" in scan for scan in scans), (
        scans
    )
