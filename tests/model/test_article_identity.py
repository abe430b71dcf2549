from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.lib.timestamps import to_text
from digest.model.article import NewArticle
from digest.model.article_identity import StoredIdentity, identity_of, same_article

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
ARTICLE = NewArticle(
    identity="",
    source="The Paper",
    url="https://example.com/a#top",
    canonical_url="https://example.com/a",
    title="Ferry Late",
    guid="1",
    published_at=NOON,
)
STORED = StoredIdentity(
    identity="guid:paper:2",
    guid="2",
    source="The Paper",
    title="Ferry Late",
    published_at=to_text(NOON),
)
#: What makes the link say nothing, on the side that was read.
SHARED_LINK = {"url_identifies": False}


def test_a_guid_goes_before_a_link_and_a_link_before_a_title() -> None:
    assert identity_of(ARTICLE, "paper", url_identifies=True) == "guid:paper:1"
    without = replace(ARTICLE, guid=None)
    assert identity_of(without, "paper", url_identifies=True) == "url:https://example.com/a"
    by_title = identity_of(without, "paper", url_identifies=False)
    assert by_title.startswith("title:")
    louder = replace(without, title="FERRY LATE")
    assert identity_of(louder, "paper", url_identifies=False) == by_title
    assert identity_of(without, "gazette", url_identifies=False) != by_title


def test_an_identity_is_short_however_long_its_guid_is() -> None:
    long = [replace(ARTICLE, guid="x" * 500 + end) for end in "ab"]
    first, second = (identity_of(article, "paper", url_identifies=True) for article in long)
    assert first != second
    assert len(first) < 100


@pytest.mark.parametrize(
    ("article", "stored", "only_one", "same"),
    [
        # One title: the link identifies, or one side has no GUID, or both are of one time.
        ({}, {}, False, True),
        (SHARED_LINK, {}, False, True),
        (SHARED_LINK, {"published_at": None}, False, False),
        (SHARED_LINK, {"published_at": to_text(NOON.replace(hour=13))}, True, False),
        (SHARED_LINK | {"published_at": None}, {"published_at": None}, True, False),
        (SHARED_LINK | {"guid": None, "published_at": None}, {}, False, True),
        (SHARED_LINK, {"guid": None, "published_at": None}, False, True),
        # Another title: the link must lead to this one alone, and one side have no GUID.
        ({"guid": None}, {"title": "Ferry"}, True, True),
        ({}, {"title": "Ferry", "guid": None}, True, True),
        ({}, {"title": "Ferry"}, True, False),
        ({"guid": None}, {"title": "Ferry"}, False, False),
        ({"guid": None} | SHARED_LINK, {"title": "Ferry"}, True, False),
        ({}, {"title": "Ferry", "guid": None, "identity": "title:0a1b"}, True, False),
        # Another source: never.
        ({}, {"source": "Gazette"}, True, False),
        ({"guid": None}, {"source": "Gazette"}, True, False),
    ],
)
def test_an_article_is_known_again_under_another_identity(
    article: dict[str, Any], stored: dict[str, Any], only_one: bool, same: bool
) -> None:
    known = replace(STORED, **stored)
    read = replace(ARTICLE, **article)
    assert same_article(read, known, only_one=only_one) is same
