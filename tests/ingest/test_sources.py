import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from digest.config import SourceKind
from digest.ingest.sources import SourceReport, gather
from digest.storage import articles, sources
from digest.storage.database import Database, open_database
from tests.ingest.conftest import MakeSource, Server, body

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db") as database:
        yield database


def feed(*titles: str) -> bytes:
    items = "".join(
        f"<item><guid>{t}</guid><title>{t}</title><link>/{t}</link></item>" for t in titles
    )
    return f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()


def test_a_broken_source_does_not_stop_the_others(
    db: Database, server: Server, make_source: MakeSource, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("title,url\nFerry,https://example.com/f\n,\nBridge,\n")
    server.answers["/feed"] = body(feed("A", "B"))
    server.answers["/gone"] = body(b"", status=404)
    reports = gather(
        db,
        [
            make_source(name="gone", kind=SourceKind.FEED, location=server.url("/gone")),
            make_source(name="file", location=str(path)),
            make_source(name="missing", location=str(tmp_path / "none.csv")),
            make_source(name="feed", kind=SourceKind.FEED, location=server.url("/feed")),
        ],
        now=NOW,
    )
    assert [report.source for report in reports] == ["gone", "file", "missing", "feed"]
    assert [report.new for report in reports] == [0, 1, 0, 2]
    assert [report.error is None for report in reports] == [False, True, False, True]
    assert [row.place for row in reports[1].rejected] == ["line 4"]
    assert [article.title for article in articles.search(db)] == ["B", "A", "Ferry"]
    remembered = sources.find(db, "gone")
    assert remembered is not None
    assert "answered 404 Not Found" in str(remembered.last_error)


def test_reading_again_asks_for_what_is_new_only(
    db: Database, server: Server, make_source: MakeSource
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        fresh = request.headers.get("If-None-Match") == '"1"'
        body(b"" if fresh else feed("A"), status=304 if fresh else 200, ETag='"1"')(request)

    server.answers["/feed"] = answer
    source = make_source(name="feed", kind=SourceKind.FEED, location=server.url("/feed"))
    assert gather(db, [source], now=NOW) == (SourceReport(source="feed", new=1),)
    assert gather(db, [source], now=NOW) == (SourceReport(source="feed", not_modified=True),)
    # A 304 brings no validators of its own, and yet they are kept.
    assert gather(db, [source], now=NOW) == (SourceReport(source="feed", not_modified=True),)


def test_a_source_that_moved_is_read_afresh(
    db: Database, server: Server, make_source: MakeSource
) -> None:
    server.answers["/one"] = body(feed("A"), ETag='"1"')
    server.answers["/two"] = body(feed("A", "B"), ETag='"1"')
    for path, new in (("/one", 1), ("/two", 1)):
        source = make_source(name="feed", kind=SourceKind.FEED, location=server.url(path))
        assert gather(db, [source], now=NOW)[0].new == new
    assert "if-none-match" not in server.requests[1][1]


def test_four_sources_are_read_at_once_and_not_more(
    db: Database, server: Server, make_source: MakeSource
) -> None:
    lock = threading.Lock()
    four = threading.Barrier(4)
    inside, most = 0, 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        four.wait(60)  # each waits for three others: fewer at once would never get through
        with lock:
            inside -= 1
        body(feed(request.path[1:]))(request)

    paths = [f"/{n}" for n in range(8)]
    server.answers |= dict.fromkeys(paths, answer)
    listed = [
        make_source(name=path, kind=SourceKind.FEED, location=server.url(path)) for path in paths
    ]
    reports = gather(db, listed, now=NOW)
    assert [report.new for report in reports] == [1] * 8
    assert most == 4


def test_a_source_that_fails_in_a_way_nobody_foresaw_does_not_stop_the_others(
    db: Database, server: Server, make_source: MakeSource
) -> None:
    server.answers["/bad"] = body(b'<link type="application/rss+xml" href="http://[bad">')
    server.answers["/ok"] = body(feed("A"))
    places = [server.url("/bad"), "https://user:x@[::zz]/f", server.url("/odd"), server.url("/ok")]
    listed = [make_source(name=url, kind=SourceKind.FEED, location=url) for url in places]
    listed[2] = replace(listed[2], timeout="never")  # type: ignore[arg-type]  # a mistake of ours
    bad, no_host, odd, fine = gather(db, listed, now=NOW)
    assert "is not a feed" in str(bad.error)
    assert str(no_host.error) == "'https://***@[::zz]/f' is not a web address"
    assert "for an unexpected reason (TypeError" in str(odd.error)
    assert odd.error is not None
    assert isinstance(odd.error.__cause__, TypeError)
    assert fine.new == 1


def test_an_error_of_the_database_comes_out_as_itself(
    db: Database, make_source: MakeSource, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("title,url\nFerry,https://example.com/f\n")
    db.execute("create trigger full before insert on articles begin select raise(abort, 'x'); end")
    with pytest.raises(Exception, match=r"(^| refused: )x$"):
        gather(db, [make_source(location=str(path)), make_source(name="b")], now=NOW)
    assert articles.search(db) == ()


def test_a_login_is_not_remembered(db: Database, server: Server, make_source: MakeSource) -> None:
    server.answers["/feed"] = body(feed("A"))
    location = server.url("/feed").replace("http://", "http://ana:secret@")
    gather(db, [make_source(name="feed", kind=SourceKind.FEED, location=location)], now=NOW)
    remembered = sources.find(db, "feed")
    assert remembered is not None
    assert remembered.location == server.url("/feed").replace("http://", "http://***@")
    assert articles.search(db)[0].url == server.url("/A")


def test_a_file_that_is_too_large_or_no_file_is_told(
    db: Database, make_source: MakeSource, tmp_path: Path
) -> None:
    large = tmp_path / "large.csv"
    large.write_text("title,url\n" * 100)
    reports = gather(
        db,
        [
            make_source(name="large", location=str(large), max_bytes=500),
            make_source(name="folder", location=str(tmp_path)),
            make_source(name="device", location="/dev/zero"),
        ],
        now=NOW,
    )
    assert "is larger than 500 bytes" in str(reports[0].error)
    assert "is not a file" in str(reports[1].error)
    assert "is not a file" in str(reports[2].error)
