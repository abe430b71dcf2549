import asyncio
import gzip
import socket
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from digest.errors import SourceError
from digest.ingest.http import Request, Response, fetch
from tests.faults.scripted_server import held_port
from tests.ingest.conftest import Answer, Names, Server, body, redirect


def get(url: str, **given: Any) -> Response:
    usual: dict[str, Any] = {"timeout": 60.0, "max_bytes": 100_000, "allow_private": True}
    return asyncio.run(fetch(Request(url=url, **(usual | given))))


def test_a_document_comes_with_what_its_server_says_of_it(server: Server) -> None:
    server.answers["/feed"] = body(
        b"<rss/>",
        Content_Type="text/xml",
        ETag='"1"',
        Last_Modified="Tue, 10 Mar 2026 08:00:00 GMT",
    )
    assert get(server.url("/feed"), site_url="https://www.example.com") == Response(
        url=server.url("/feed"),
        content=b"<rss/>",
        content_type="text/xml",
        etag='"1"',
        last_modified="Tue, 10 Mar 2026 08:00:00 GMT",
    )
    headers = server.requests[0][1]
    assert headers["user-agent"].startswith("digest/")
    assert headers["user-agent"].endswith(" (+https://www.example.com)")
    assert headers["accept-encoding"] == "gzip, deflate"


def test_what_was_not_modified_is_not_sent_again(server: Server) -> None:
    server.answers["/feed"] = body(b"", status=304)
    answer = get(server.url("/feed"), etag='"1"', last_modified="Tue, 10 Mar 2026 08:00:00 GMT")
    assert (answer.content, answer.etag) == (None, '"1"')
    headers = server.requests[0][1]
    assert headers["if-none-match"] == '"1"'
    assert headers["if-modified-since"] == "Tue, 10 Mar 2026 08:00:00 GMT"


def test_a_304_that_nobody_asked_for_is_no_answer(server: Server) -> None:
    server.answers["/feed"] = body(b"", status=304)
    with pytest.raises(SourceError, match="answered 304 Not Modified"):
        get(server.url("/feed"))


def _packed(data: bytes) -> bytes:
    """Compressed, without the time: tests are named after it, and are to have one name."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", _packed(b"<rss>" + b"x" * 5_000)),
        ("gzip", _packed(b"<rss>") + _packed(b"x" * 5_000) + b"\0\0"),
        ("deflate", zlib.compress(b"<rss>" + b"x" * 5_000)),
        ("deflate", zlib.compress(b"<rss>" + b"x" * 5_000)[2:-4]),
    ],
)
def test_compressed_bodies_are_unpacked(server: Server, encoding: str, packed: bytes) -> None:
    server.answers["/feed"] = body(packed, Content_Encoding=encoding)
    assert get(server.url("/feed")).content == b"<rss>" + b"x" * 5_000


def test_a_gzip_bomb_is_left_when_it_is_too_large(server: Server) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 100_000
    server.answers["/feed"] = body(bomb, Content_Encoding="gzip")
    with pytest.raises(SourceError, match="it is larger than 100,000 bytes"):
        get(server.url("/feed"))


@pytest.mark.parametrize(
    ("encoding", "packed", "complaint"),
    [
        ("gzip", b"not gzip at all", "its compressed body is damaged"),
        ("gzip", _packed(b"x" * 5_000)[:-12], "its compressed body ends in the middle"),
        ("br", b"x", "compresses it as 'br', which was not asked for"),
        ("gzip, gzip", b"x", "compresses it as 'gzip, gzip', which was not asked for"),
    ],
)
def test_a_broken_body_is_told(
    server: Server, encoding: str, packed: bytes, complaint: str
) -> None:
    server.answers["/feed"] = body(packed, Content_Encoding=encoding)
    with pytest.raises(SourceError, match=complaint):
        get(server.url("/feed"))


def endless(server: Server, piece: bytes, pause: float) -> Answer:
    """An answer that goes on until its reader has had enough."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.over.wait(pause):
            request.wfile.write(piece)

    return answer


def test_an_endless_feed_is_left_when_it_is_too_large(server: Server) -> None:
    server.answers["/feed"] = endless(server, b"<item/>" * 1_000, pause=0)
    with pytest.raises(SourceError, match="it is larger than 100,000 bytes"):
        get(server.url("/feed"))


def test_a_length_that_is_too_large_is_not_even_begun(server: Server) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "200000")
        request.end_headers()
        server.over.wait()

    server.answers["/feed"] = answer
    with pytest.raises(SourceError, match="has 200,000 bytes, at most 100,000 are read"):
        get(server.url("/feed"))


def test_a_slow_drip_ends_at_the_deadline(server: Server) -> None:
    server.answers["/feed"] = endless(server, b"x", pause=0.02)
    with pytest.raises(SourceError, match=r"did not answer in full within 0\.3 s"):
        get(server.url("/feed"), timeout=0.3)


def test_headers_that_drip_end_at_the_deadline_too(server: Server) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n")
        while not server.over.wait(0.02):
            request.wfile.write(b"X: y\r\n")

    server.answers["/feed"] = answer
    with pytest.raises(SourceError, match=r"did not answer in full within 0\.3 s"):
        get(server.url("/feed"), timeout=0.3)


def test_a_silent_server_ends_at_the_deadline(server: Server) -> None:
    def answer(_: BaseHTTPRequestHandler) -> None:
        server.over.wait()

    server.answers["/feed"] = answer
    with pytest.raises(SourceError, match=r"did not answer in full within 0\.2 s"):
        get(server.url("/feed"), timeout=0.2)


def test_a_body_that_breaks_off_is_told(server: Server) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"<rss>")

    server.answers["/feed"] = answer
    with pytest.raises(SourceError, match="cannot be read"):
        get(server.url("/feed"))


def test_redirects_are_followed_and_the_place_where_they_end_is_known(server: Server) -> None:
    server.answers["/old"] = redirect("/newer", status=301)
    server.answers["/newer"] = redirect(server.url("/newest"), status=308)
    server.answers["/newest"] = body(b"<rss/>")
    assert get(server.url("/old")).url == server.url("/newest")


def test_a_loop_of_redirects_ends(server: Server) -> None:
    server.answers["/a"] = redirect("/b")
    server.answers["/b"] = redirect("/a")
    with pytest.raises(SourceError, match="redirects more than 5 times"):
        get(server.url("/a"))
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("file:///etc/passwd", "is not http or https"),
        ("http://user@127.0.0.1/", "names a user"),
        ("", "does not say where to"),
        ("http://[::1", "is not a web address"),
    ],
)
def test_a_redirect_to_what_is_no_web_address_is_not_followed(
    server: Server, target: str, complaint: str
) -> None:
    server.answers["/feed"] = redirect(target)
    with pytest.raises(SourceError, match=complaint):
        get(server.url("/feed"))


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (404, "404 Not Found"),
        (403, "403 Forbidden"),
        (503, "503 Service"),
        (429, "429 Too"),
        (599, "599"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(server: Server, status: int, phrase: str) -> None:
    server.answers["/feed"] = body(b"no", status=status)
    with pytest.raises(SourceError, match=f"answered {phrase}") as caught:
        get(server.url("/feed"))
    assert caught.value.hint


def test_a_server_that_is_not_there_is_told() -> None:
    with held_port("127.0.0.1") as nobody_listens:
        url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/feed"
        with pytest.raises(SourceError, match="cannot be read: there is no connection"):
            get(url)


def test_a_login_is_told_to_its_own_host_alone(server: Server) -> None:
    elsewhere = Server()
    try:
        server.answers["/feed"] = redirect("/there")
        server.answers["/there"] = redirect(elsewhere.url("/feed"))
        elsewhere.answers["/feed"] = body(b"<rss/>")
        answer = get(server.url("/feed").replace("http://", "http://ana:secret@"))
    finally:
        elsewhere.stop()
    assert [headers.get("authorization") for _, headers in server.requests] == [
        "Basic YW5hOnNlY3JldA=="
    ] * 2
    assert "authorization" not in elsewhere.requests[0][1]
    assert "secret" not in answer.url


def test_a_login_shows_in_no_message(server: Server) -> None:
    server.answers["/feed"] = body(b"", status=401)
    with pytest.raises(SourceError) as caught:
        get(server.url("/feed").replace("http://", "http://ana:secret@"))
    assert "secret" not in caught.value.message


@pytest.fixture
def secure_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose certificate says elsewhere.example, from an authority that is trusted here."""
    certificates = Path(__file__).parents[1] / "sender" / "certificates"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority.pem"))
    monkeypatch.setattr(socket, "getaddrinfo", Names(["127.0.0.1"]))
    running = Server(certificates / "elsewhere.pem")
    running.answers["/feed"] = body(b"<rss/>")
    yield running
    running.stop()


def test_a_certificate_is_checked_against_the_name(secure_server: Server) -> None:
    assert get(secure_server.url("/feed", host="elsewhere.example")).content == b"<rss/>"


def test_a_certificate_of_another_name_is_refused(secure_server: Server) -> None:
    with pytest.raises(SourceError, match="cannot be read: there is no connection"):
        get(secure_server.url("/feed", host="other.example"))
