"""A small HTTP server on loopback: a few pages for monitors, and nothing that a client can break.

One thread with an event loop, a handful of connections, a few seconds and a few kilobytes for each:
whoever is slow, silent or loud costs nobody else anything. RFC 9110, of which GET and HEAD.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from digest.errors import DigestError

_MOST_CONNECTIONS: Final = 16
_MOST_HEAD_BYTES: Final = 8192

#: Seconds for a connection, from the first to the last byte.
_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """The response of a page."""

    body: str
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"


#: Pages by their paths. Each is asked in one thread, one after the other.
Pages = Mapping[str, Callable[[], HttpResponse]]


class HttpServer:
    """Serves while it is open. `port` is the one that it got; 0 asks for any that is free."""

    def __init__(self, port: int, pages: Pages, *, timeout: float = _TIMEOUT) -> None:
        self.port = port
        self._pages = pages
        self._timeout = timeout
        self._connections = 0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page")
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="pages", daemon=True
        )
        self._stop: Callable[[], object] = lambda: None
        self._started = threading.Event()
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        """Raises DigestError where the port is not free."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise DigestError(
                f"cannot serve health and metrics on port {self.port} of this machine:"
                f" {os.strerror(self._error.errno or 0)}",
                hint="Choose another number for service.port, or DIGEST_SERVICE__PORT.",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join()
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        # A connection that breaks is not worth a line, and standard error is the log's.
        loop.set_exception_handler(lambda _loop, _context: None)
        stopped = asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        try:
            server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=_MOST_HEAD_BYTES
            )
            self.port = server.sockets[0].getsockname()[1]
        except OSError as error:
            self._error = error
            return
        finally:
            self._started.set()
        await stopped.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._connections >= _MOST_CONNECTIONS:
                return
            self._connections += 1
            try:
                async with asyncio.timeout(self._timeout):
                    writer.write(await self._reply(reader))
                    await writer.drain()
            finally:
                self._connections -= 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # what the other side does not take in time is cut off
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _encoded(_plain(HTTPStatus.BAD_REQUEST))
        method, path = words[0], words[1].split(b"?", 1)[0].decode("latin-1")
        if method not in (b"GET", b"HEAD"):
            return _encoded(_plain(HTTPStatus.METHOD_NOT_ALLOWED), headers="Allow: GET, HEAD\r\n")
        page = self._pages.get(path)
        response = await self._ask(page) if page else _plain(HTTPStatus.NOT_FOUND)
        return _encoded(response, with_body=method == b"GET")

    async def _ask(self, page: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, page)
        except DigestError as error:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, type(error).__name__)


def _plain(status: HTTPStatus, details: str = "") -> HttpResponse:
    return HttpResponse(body=f"{status.phrase}{details and f': {details}'}\n", status=status)


def _encoded(response: HttpResponse, *, headers: str = "", with_body: bool = True) -> bytes:
    body = response.body.encode()
    head = (
        f"HTTP/1.1 {response.status.value} {response.status.phrase}\r\n"
        f"Content-Type: {response.content_type}\r\nContent-Length: {len(body)}\r\n{headers}"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")
