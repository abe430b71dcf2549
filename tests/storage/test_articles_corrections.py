from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import LedgerError
from digest.model.article import NewArticle, Verdict
from digest.storage import articles
from digest.storage.article_upsert import upsert
from digest.storage.database import Database, open_database
from tests.storage.test_articles import content_of

MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
FERRY = "https://example.com/ferry"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db") as database:
        yield database


def article(title: str, source: str = "paper", **given: str) -> NewArticle:
    return NewArticle(
        identity=given.pop("identity", f"url:{FERRY}"),
        source=source,
        url=FERRY,
        canonical_url=FERRY,
        title=title,
        published_at=MONDAY,
        **given,  # type: ignore[arg-type]  # texts only
    )


def test_a_correction_changes_what_it_says_and_nothing_else(db: Database) -> None:
    there = articles.add(
        db, article("Ferry", summary="At last.", content="<p>Long.</p>", section="Town"), MONDAY
    )
    said = article("Ferry again", source="site", section="Sea")
    assert articles.correct(db, there.id, said, {"title", "url", "section"}, TUESDAY)
    found = articles.existing(db, there.id)
    assert (found.title, found.section, found.summary) == ("Ferry again", "Sea", "At last.")
    assert (found.source, found.published_at, found.edited_at) == ("paper", MONDAY, TUESDAY)
    assert content_of(db, there.id) == "<p>Long.</p>"
    assert not articles.correct(db, there.id, said, {"title", "url", "section"}, TUESDAY)


def test_an_empty_value_empties_but_a_time_of_publication_stays(db: Database) -> None:
    there = articles.add(db, article("Ferry", summary="At last.", content="<p>x</p>"), MONDAY)
    said = NewArticle(identity="", source="", url=FERRY, canonical_url=FERRY, title="Ferry")
    fields = {"summary", "content", "published_at"}
    assert articles.correct(db, there.id, said, fields, TUESDAY)
    found = articles.existing(db, there.id)
    assert (found.summary, found.published_at, content_of(db, there.id)) == ("", MONDAY, "")


def test_of_several_articles_at_an_address_the_sites_own_is_meant(db: Database) -> None:
    assert articles.find_by_link(db, FERRY, source="site") is None
    for source in ("a", "site", "b"):
        upsert(db, [article("Ferry", source, identity=f"guid:{source}:1")], MONDAY)
    found = articles.find_by_link(db, FERRY, source="site")
    assert found is not None
    assert found.source == "site"


def test_a_withdrawal_can_be_taken_back(db: Database) -> None:
    there = articles.add(db, article("Ferry"), MONDAY)
    articles.mark_withdrawn(db, there.id, MONDAY)
    db.execute(
        "insert into decisions (newsletter, article_id, verdict, reason, decided_at)"
        " values (?, ?, ?, ?, ?)",
        ("daily", there.id, "withdrawn", "withdrawn", "2026-03-09T08:00:00Z"),
    )
    restored, was_withdrawn = articles.restore(db, there.id, TUESDAY)
    assert was_withdrawn
    assert restored.withdrawn_at is None
    decision = articles.article_decisions(db, there.id)[0].decision
    assert decision is not None
    assert (decision.verdict, decision.reason) == (Verdict.WAITING, "restored by the editor")
    assert articles.restore(db, there.id, TUESDAY) == (restored, False)
    with pytest.raises(LedgerError, match="there is no article 9"):
        articles.restore(db, 9, TUESDAY)
