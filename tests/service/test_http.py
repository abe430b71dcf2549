"""The HTTP server: what it says, and what it bears."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus

import pytest

from digest.errors import DatabaseBusy, DigestError
from digest.service.http import HttpResponse, HttpServer


def hello() -> HttpResponse:
    return HttpResponse(body=json.dumps({"hello": "wörld"}), content_type="application/json")


def busy() -> HttpResponse:
    raise DatabaseBusy("locked")


def broken() -> HttpResponse:
    raise RuntimeError("a bug")


PAGES: dict[str, Callable[[], HttpResponse]] = {"/": hello, "/busy": busy, "/broken": broken}


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(0, PAGES, timeout=60) as running:
        yield running


def connected(server: HttpServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def asked(server: HttpServer, request: bytes) -> bytes:
    heard = b""
    # Who is cut off before all of it was read may hear of it while sending, and by a reset.
    with connected(server) as line, suppress(ConnectionError):
        line.sendall(request)
        while piece := line.recv(65_536):
            heard += piece
    return heard


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


def get(server: HttpServer, path: str, method: str = "GET") -> bytes:
    return asked(server, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def test_a_page_is_served_with_its_kind_and_length(server: HttpServer) -> None:
    head, _, body = get(server, "/?x=1").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/json" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body) == {"hello": "wörld"}


def test_head_is_get_without_the_body(server: HttpServer) -> None:
    assert get(server, "/", "HEAD") == get(server, "/").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/nowhere", "GET", HTTPStatus.NOT_FOUND),
        ("/../etc/passwd", "GET", HTTPStatus.NOT_FOUND),
        ("/", "POST", HTTPStatus.METHOD_NOT_ALLOWED),
        ("/", "get", HTTPStatus.METHOD_NOT_ALLOWED),
        ("/busy", "GET", HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
def test_whatever_is_not_a_page_has_its_status(
    server: HttpServer, path: str, method: str, expected: HTTPStatus
) -> None:
    assert status(get(server, path, method)) == expected


def test_nonsense_is_a_bad_request_or_no_answer(server: HttpServer) -> None:
    assert status(asked(server, b"\x16\x03\x01\r\n\r\n")) == HTTPStatus.BAD_REQUEST
    assert asked(server, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n") == b""
    assert get(server, "/broken") == b""
    assert status(get(server, "/")) == HTTPStatus.OK


def test_clients_that_say_nothing_keep_nobody_out_for_longer_than_the_timeout() -> None:
    with HttpServer(0, PAGES, timeout=1.0) as server:
        silent = [connected(server) for _ in range(50)]
        try:
            for line in silent:
                # Cut off: the first ones after a second, the others at once.
                assert line.recv(1) == b""
            # On a machine that stands still for a second, we are as slow as they are.
            replies = (get(server, "/") for _ in range(20))
            assert status(next(filter(None, replies))) == HTTPStatus.OK
        finally:
            for line in silent:
                line.close()


def test_a_port_that_is_taken_is_said(server: HttpServer) -> None:
    with (
        pytest.raises(DigestError, match="cannot serve health and metrics"),
        HttpServer(server.port, {}),
    ):
        pass


def test_it_listens_on_loopback_only(server: HttpServer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", server.port))
