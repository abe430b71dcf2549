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

_CONNECTIONS: Final = 16
_LONGEST_HEAD: Final = 8192

#: Seconds for a connection, from the first to the last byte.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """What a page says."""

    body: str
    status: HTTPStatus = HTTPStatus.OK
    kind: str = "text/plain; charset=utf-8"


#: Pages by their paths. Each is asked in one thread, one after the other.
Pages = Mapping[str, Callable[[], HttpResponse]]


def _nothing() -> None:
    """The end of what has not begun."""


class HttpServer:
    """Serves while it is open. `port` is the one that it got; 0 asks for any that is free."""

    def __init__(self, port: int, pages: Pages, *, patience: float = _PATIENCE) -> None:
        self.port = port
        self._pages = pages
        self._patience = patience
        self._open = 0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page")
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run()), name="pages", daemon=True
        )
        self._end: Callable[[], object] = _nothing
        self._begun = threading.Event()
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        """Raises DigestError where the port cannot be had."""
        self._thread.start()
        self._begun.wait()
        if self._error is not None:
            self._thread.join()
            raise DigestError(
                f"port {self.port} of this machine cannot be had for health and metrics:"
                f" {os.strerror(self._error.errno or 0)}",
                hint="Give service.port, or DIGEST_SERVICE__PORT, another number.",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._thread.join()
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        # A connection that breaks is no news, and standard error is the log's.
        loop.set_exception_handler(lambda _loop, _context: None)
        ended = asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        try:
            server = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, limit=_LONGEST_HEAD
            )
            self.port = server.sockets[0].getsockname()[1]
        except OSError as error:
            self._error = error
            return
        finally:
            self._begun.set()
        await ended.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._open >= _CONNECTIONS:
                return
            self._open += 1
            try:
                async with asyncio.timeout(self._patience):
                    writer.write(await self._reply(reader))
                    await writer.drain()
            finally:
                self._open -= 1
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
            return _response(_said(HTTPStatus.BAD_REQUEST))
        method, path = words[0], words[1].split(b"?", 1)[0].decode("latin-1")
        if method not in (b"GET", b"HEAD"):
            return _response(_said(HTTPStatus.METHOD_NOT_ALLOWED), more="Allow: GET, HEAD\r\n")
        page = self._pages.get(path)
        answer = await self._asked(page) if page else _said(HTTPStatus.NOT_FOUND)
        return _response(answer, with_body=method == b"GET")

    async def _asked(self, page: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, page)
        except DigestError as error:
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, type(error).__name__)


def _said(status: HTTPStatus, more: str = "") -> HttpResponse:
    return HttpResponse(body=f"{status.phrase}{more and f': {more}'}\n", status=status)


def _response(answer: HttpResponse, *, more: str = "", with_body: bool = True) -> bytes:
    body = answer.body.encode()
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.kind}\r\nContent-Length: {len(body)}\r\n{more}"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")
