import json

import pytest

from digest.config import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.rows import RejectedRow
from digest.ingest.sources import Document, articles_of
from digest.model.article import NewArticle
from tests.ingest.conftest import MakeSource


def read(
    content: str, source: SourceSettings
) -> tuple[tuple[NewArticle, ...], tuple[RejectedRow, ...]]:
    reading = articles_of(source, Document(content=content.encode()))
    return reading.articles, reading.rejected


@pytest.fixture
def source(make_source: MakeSource) -> SourceSettings:
    return make_source(kind=SourceKind.JSON)


@pytest.fixture
def lines(make_source: MakeSource) -> SourceSettings:
    return make_source(kind=SourceKind.JSONL)


ARTICLE = {"title": "Ferry", "url": "https://example.com/f"}


@pytest.mark.parametrize("document", [[ARTICLE], {"items": [ARTICLE]}, {"articles": [ARTICLE]}])
def test_a_list_of_articles_is_read_bare_or_named(source: SourceSettings, document: object) -> None:
    articles, rejected = read(json.dumps(document), source)
    assert [article.title for article in articles] == ["Ferry"]
    assert rejected == ()


def test_values_of_other_types_are_read_where_they_can_be(source: SourceSettings) -> None:
    item = {
        "id": 12,
        "title": "Ferry",
        "url": "https://example.com/f",
        "author": [{"name": "Ana"}, {"name": "Bo"}],
        "image": {"url": "https://example.com/f.jpg", "width": 600},
        "tags": ["Sea", "boats, small"],
        "published": 1394470905,
        "priority": 2.0,
        "section": None,
        "summary": False,
    }
    articles, _ = read(json.dumps([item]), source)
    article = articles[0]
    assert article.guid == "12"
    assert article.author == "Ana, Bo"
    assert article.image_url == "https://example.com/f.jpg"
    assert article.tags == ("Sea", "boats, small")
    assert article.priority == 2
    assert article.published_at is not None


def test_broken_items_are_listed_and_the_rest_goes_in(source: SourceSettings) -> None:
    items = [ARTICLE, "Bridge", {"title": {"x": 1}, "url": "https://example.com/x"}, {}, None]
    articles, rejected = read(json.dumps(items), source)
    assert len(articles) == 1
    assert [(row.place, row.reason) for row in rejected] == [
        ("item 2", "it is a text, expected an object"),
        ("item 3", "its title is an object, expected a text"),
        ("item 4", "it has no url"),
        ("item 5", "it is null, expected an object"),
    ]


def test_half_a_character_of_a_title_does_not_stop_the_rest(source: SourceSettings) -> None:
    articles, _ = read('[{"title": "Smile \\ud83d", "url": "https://example.com/s"}]', source)
    assert articles[0].title == "Smile \ufffd"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ('[{"title": "a"', r"it is not JSON: .* at line 1, column 15"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"news": []}', "is an object, expected a list of articles"),
        ("7", "is a number, expected a list of articles"),
        ("", "it is not JSON"),
        ("9" * 5_000, "limit"),
    ],
)
def test_what_is_no_list_of_articles_is_told(
    source: SourceSettings, document: str, complaint: str
) -> None:
    with pytest.raises(SourceError, match=complaint):
        read(document, source)


def test_a_broken_line_is_listed_with_its_number(lines: SourceSettings) -> None:
    content = "\n".join(
        [
            json.dumps(ARTICLE),
            '{"title": "Bridge", "url": ',
            "",
            "[1, 2]",
            '{"title": "Sep\u2028arator", "url": "https://example.com/s"}',
        ]
    )
    articles, rejected = read(content, lines)
    assert [article.title for article in articles] == ["Ferry", "Sep arator"]
    assert [(row.place, row.reason) for row in rejected] == [
        ("line 2", "it is not JSON: Expecting value at column 28"),
        ("line 4", "it is a list, expected an object"),
    ]


def test_a_broken_first_line_does_not_stop_the_rest(lines: SourceSettings) -> None:
    articles, rejected = read("oops\n" + json.dumps(ARTICLE), lines)
    assert len(articles) == 1
    assert [row.place for row in rejected] == ["line 1"]


def test_a_file_without_a_single_object_is_not_json_lines(lines: SourceSettings) -> None:
    with pytest.raises(SourceError, match="has no line that is a JSON object; line 1: it is not"):
        read("title,url\nFerry,https://example.com/f\n", lines)
