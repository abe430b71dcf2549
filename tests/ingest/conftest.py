"""What the tests of this room share: a way to describe a source, and a server to be read."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from digest.config import SourceKind, SourceSettings

Answer = Callable[[BaseHTTPRequestHandler], None]
MakeSource = Callable[..., SourceSettings]


@pytest.fixture
def make_source() -> MakeSource:
    """Makes the settings of a source, a CSV file in Lisbon unless something else is said."""

    def make(**given: Any) -> SourceSettings:
        usual: dict[str, Any] = {
            "name": "paper",
            "kind": SourceKind.CSV,
            "location": "/nowhere",
            "timezone": ZoneInfo("Europe/Lisbon"),
            "allow_private": True,
            "timeout": 60.0,
        }
        return SourceSettings(**(usual | given))

    return make


class Server:
    """A web server on loopback. `answers` maps paths to what answers there; it keeps requests."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.scheme = "https" if certificate else "http"
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                with suppress(OSError):  # whoever reads us may have had enough
                    server.answers[self.path](self)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(certificate)
            # The handshake belongs to the thread that answers, not to the one that accepts.
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"{self.scheme}://{host}:{self._http.server_port}{path}"

    def stop(self) -> None:
        """End, whatever is still going on."""
        self.over.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


def body(content: bytes, *, status: int = 200, **headers: str) -> Answer:
    """An answer with this body; headers are written with `_` for `-`."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(target: str, status: int = 302) -> Answer:
    """An answer that sends on to `target`."""
    return body(b"", status=status, Location=target)


class Names:
    """The system's look-up of names, with answers of ours: one list of addresses each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def __call__(self, host: str, port: int, *rest: Any, **named: Any) -> list[Any]:
        """What socket.getaddrinfo would say."""
        del host, rest, named
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self.answers.pop(0)
        ]
