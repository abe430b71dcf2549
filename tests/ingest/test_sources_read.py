from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digest.config import SourceKind
from digest.errors import SourceError
from digest.ingest.sources import Document, articles_of
from tests.ingest.conftest import MakeSource

_PIECES = st.sampled_from(
    (
        *(b"title,url\n", b'"', b"\n", b"\r", b",", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe"),
        *(b"<rss version='2.0'><channel><item>", b"<title>", b"</title>", b"<link>", b"</item>"),
        *(b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>", b"<link href='x'/>", b"<guid>"),
        *(
            b"<pubDate>",
            b"<media:content url='",
            b"<enclosure/>",
            b"<image>",
            b"<category/>",
            b"]]>",
        ),
        *(b'{"version":"https://jsonfeed.org/version/1","items":[', b'{"title":"a"', b"}", b"]"),
        *(b"https://example.com/", b"&amp;", b"&#0;", b"\\ud800", b"null", b"1e999", b"x", b" "),
    )
)


@pytest.mark.parametrize(
    "kind", [SourceKind.FEED, SourceKind.CSV, SourceKind.JSON, SourceKind.JSONL]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.lists(_PIECES, max_size=20).map(b"".join) | st.binary(max_size=60))
@example(content=b'"title,url\nFerry,https://example.com/')
@example(content=b'title,url,"priority\n')
def test_any_bytes_are_articles_rejected_rows_or_an_error_in_words(
    make_source: MakeSource, kind: SourceKind, content: bytes
) -> None:
    with suppress(SourceError):
        document = Document(content=content, base="https://example.com/feed")
        reading = articles_of(make_source(kind=kind), document)
        assert all(article.title and article.identity for article in reading.articles)
        assert all(row.place and row.reason for row in reading.rejected)
        assert all(note.text for note in reading.notes)
        for article in reading.articles:
            str(article).encode()  # nothing in it is beyond what SQLite can store
