"""One document over HTTP: asked for politely; never longer, larger or elsewhere than allowed.

Names are looked up once and their addresses checked, redirects are followed by hand, and bodies
are unpacked no further than a limit: a gzip bomb ends where the limit is.
"""

import asyncio
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx2

from digest import __version__
from digest.errors import SourceError
from digest.ingest.address_guard import addresses_of
from digest.lib.redact import without_login

#: What we tell servers that we can read.
ACCEPTED: Final = "gzip, deflate"

_GZIP_OR_ZLIB: Final = 47
_RAW: Final = -15
MOST_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ACCEPT: Final = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9,"
    " text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to get. `timeout` is in seconds, for all of it, redirects included.

    A login in `url` (https://name:password@host/) is told to that host only, and to nobody else.
    `allow_private` is for the host of `url`, and not for another one that it redirects to.
    `max_bytes` bounds the body, packed and unpacked. `etag` and `last_modified` are those of the
    last reading.
    """

    url: str
    timeout: float
    max_bytes: int
    allow_private: bool = False
    etag: str | None = None
    last_modified: str | None = None
    site_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the server had, at `url`, where the redirects ended.

    `content` is None if it is what it was last time.
    """

    url: str
    content: bytes | None
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None


async def fetch(request: Request) -> Response:
    """Get a document. Raises SourceError that says what the server did, or did not do."""
    url, login = _url_and_login(request.url)
    try:
        async with (
            asyncio.timeout(request.timeout),
            httpx2.AsyncClient(
                transport=_CheckedTransport(
                    private_host=url.raw_host if request.allow_private else None
                ),
                # A proxy from the environment would look names up out of our sight.
                trust_env=False,
                timeout=httpx2.Timeout(request.timeout, connect=request.timeout / 2),
            ) as client,
        ):
            return await _follow(client, url, login, request)
    except (TimeoutError, httpx2.TimeoutException):
        raise SourceError(
            f"{url} did not answer in full within {request.timeout:g} s",
            hint="Try again later, or raise `timeout` at the source in digest.toml.",
        ) from None
    except httpx2.HTTPError as error:
        raise SourceError(
            f"{url} cannot be read: {_reason(error)}",
            hint="Check the address, and that its server is up.",
        ) from error


def _url_and_login(text: str) -> tuple[httpx2.URL, httpx2.BasicAuth | None]:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        raise SourceError(
            f"{without_login(text)!r} is not a web address", hint="It begins with https://."
        ) from None
    login = httpx2.BasicAuth(url.username, url.password) if url.userinfo else None
    return _checked(url.copy_with(userinfo=b""), without_login(text)), login


async def _follow(
    client: httpx2.AsyncClient, start: httpx2.URL, login: httpx2.Auth | None, request: Request
) -> Response:
    url = start
    for _ in range(MOST_REDIRECTS + 1):
        same_origin = _origin(url) == _origin(start)
        async with client.stream(
            "GET", url, headers=_headers(request), auth=login if same_origin else None
        ) as answer:
            if answer.status_code not in _REDIRECTS:
                return await _response(answer, str(url), request)
            target = answer.headers.get("location", "")
        shown = without_login(target)[:200]
        if not target:
            raise SourceError(f"{url} redirects ({answer.status_code}), but does not say where to")
        try:
            url = _checked(url.join(target), f"{url}, which redirects to {shown!r},")
        except httpx2.InvalidURL:
            raise SourceError(f"{url} redirects to {shown!r}, which is not a web address") from None
    raise SourceError(
        f"{start} redirects more than {MOST_REDIRECTS} times, at last to {url}",
        hint="Open it in a browser, and put the address where it ends into digest.toml.",
    )


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _checked(url: httpx2.URL, name: str) -> httpx2.URL:
    """The address without its fragment, if it is one that we read."""
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceError(f"{name} is not http or https", hint="Give it as https://….")
    if url.userinfo:
        raise SourceError(f"{name} names a user: that can make it look like another host")
    return url.copy_with(fragment=None)


async def _response(answer: httpx2.Response, url: str, request: Request) -> Response:
    status, headers = answer.status_code, answer.headers
    asked = request.etag or request.last_modified
    if status == HTTPStatus.NOT_MODIFIED and asked:
        return Response(
            url=url, content=None, etag=request.etag, last_modified=request.last_modified
        )
    if status != HTTPStatus.OK:
        raise _refused(status, url)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > request.max_bytes:
        raise SourceError(
            f"{url} has {int(length):,} bytes, at most {request.max_bytes:,} are read",
            hint="If that is right, raise `max_bytes` at the source in digest.toml.",
        )
    return Response(
        url=url,
        content=await _body(answer, url, request.max_bytes),
        content_type=headers.get("content-type"),
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
    )


async def _body(answer: httpx2.Response, url: str, most: int) -> bytes:
    try:
        inflater = Inflater(answer.headers.get("content-encoding", ""), most)
        async for piece in answer.aiter_raw():
            inflater.feed(piece)
        return inflater.finish()
    except SourceError as error:
        raise SourceError(f"{url}: {error.message}", hint=error.hint) from None


def _headers(request: Request) -> dict[str, str]:
    site = f" (+{request.site_url})" if request.site_url else ""
    headers = {
        "User-Agent": f"digest/{__version__}{site}",
        "Accept": _ACCEPT,
        "Accept-Encoding": ACCEPTED,
    }
    if request.etag:
        headers["If-None-Match"] = request.etag
    if request.last_modified:
        headers["If-Modified-Since"] = request.last_modified
    return headers


class _CheckedTransport(httpx2.AsyncBaseTransport):
    """Connects to addresses that were checked, one after the other; the name stays in Host and SNI.

    The name is looked up once for each request: no later answer can lead the connection elsewhere.
    Only `private_host` may be inside the own network.
    """

    def __init__(self, *, private_host: bytes | None) -> None:
        self._inner = httpx2.AsyncHTTPTransport()
        self._private_host = private_host

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        allowed = request.url.raw_host == self._private_host
        addresses = await addresses_of(host, port, allow_private=allowed)
        name = request.url
        for address in addresses[:-1]:
            try:
                return await self._to(request, name, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._to(request, name, addresses[-1])

    async def _to(self, request: httpx2.Request, name: httpx2.URL, address: str) -> httpx2.Response:
        request.url = name.copy_with(host=address)
        request.extensions["sni_hostname"] = name.raw_host.decode("ascii")
        try:
            return await self._inner.handle_async_request(request)
        finally:
            request.url = name

    async def aclose(self) -> None:
        await self._inner.aclose()


class Inflater:
    """Unpacks one body piece by piece. `encoding` is the header Content-Encoding.

    Raises SourceError for an encoding that was not asked for, broken data, or too much of it.
    """

    def __init__(self, encoding: str, most: int) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._names = [name for name in names if name not in ("", "identity")]
        if len(self._names) > 1 or not set(self._names) <= {"gzip", "x-gzip", "deflate"}:
            raise SourceError(f"its server compresses it as {encoding!r}, which was not asked for")
        self._packed = bool(self._names)
        self._decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._begun = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        if not self._packed:
            self._keep(piece)
            return
        try:
            self._unpack(piece)
        except zlib.error as error:
            raise SourceError(f"its compressed body is damaged ({error})") from None

    def finish(self) -> bytes:
        """The whole body. Raises SourceError if it ended too early."""
        if self._packed and self._begun and not self._decompressor.eof:
            raise SourceError("its compressed body ends in the middle")
        return b"".join(self._parts)

    def _unpack(self, piece: bytes) -> None:
        while piece:
            if self._decompressor.eof:
                if not piece.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                # A gzip file may have several members (RFC 1952 section 2.2).
                self._decompressor = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                self._keep(self._decompressor.decompress(piece, self._most - self._size + 1))
            except zlib.error:
                if self._begun or self._names != ["deflate"]:
                    raise
                # Some servers say deflate and mean it bare (RFC 9110 section 8.4.1.2).
                self._decompressor = zlib.decompressobj(_RAW)
                self._keep(self._decompressor.decompress(piece, self._most - self._size + 1))
            self._begun = True
            piece = self._decompressor.unconsumed_tail or self._decompressor.unused_data

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise SourceError(
                f"it is larger than {self._most:,} bytes",
                hint="If that is right, raise `max_bytes` at the source in digest.toml.",
            )
        if data:
            self._parts.append(data)


def _refused(status: int, url: str) -> SourceError:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status in (401, 403):
        hint = "It needs a login, or refuses programs: ask its owner for a feed that is open."
    elif status in (404, 410):
        hint = "The feed has moved or ended: look for its new address on the site."
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        hint = "It was asked too often: read it less often."
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        hint = "Its server has a problem: try again later."
    else:
        hint = "Check the address."
    return SourceError(f"{url} answered {phrase}", hint=hint)


def _reason(error: httpx2.HTTPError) -> str:
    match error:
        case httpx2.ConnectError():
            return f"there is no connection ({error})" if str(error) else "there is no connection"
        case httpx2.NetworkError():
            return "the connection was lost"
        case _:
            return str(error) or type(error).__name__
