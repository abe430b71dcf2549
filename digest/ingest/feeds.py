"""RSS, Atom and JSON Feed: the entries of a feed as rows.

feedparser reads RSS and Atom in their many dialects; a feed that keeps it busy beyond all measure
is given up. JSON Feed is read here.
"""

import calendar
import ctypes
import html
import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urljoin

import feedparser  # type: ignore[import-untyped]  # it ships no types

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.dates import read_date
from digest.ingest.json_source import parsed, row_of
from digest.ingest.rows import Field, Note, RejectedRow, Row, Unusable, text_of
from digest.ingest.urls import MOST_CHARACTERS

T = TypeVar("T")

_JSON_FEED: Final = "https://jsonfeed.org/version/"
_LINK: Final = re.compile(rb"<link\b[^<>]{0,2000}>", re.I)
_OF_A_FEED: Final = re.compile(rb"type=[\"']?application/(?:rss|atom|feed)\+(?:xml|json)", re.I)
# Of the feed's own title, which stands at each of its articles.
_MOST_IN_TITLE: Final = 1_000
# Seconds, and seconds for each million bytes: many times what a feed takes when it is alone.
_TIMEOUT: Final = 20.0
_TIMEOUT_PER_MB: Final = 20.0
_HREF: Final = re.compile(r"href=[\"']?([^\"'\s>]+)", re.I)


def rows(
    content: bytes, source: SourceSettings, *, base: str | None, content_type: str | None
) -> Iterator[Row | RejectedRow | Note]:
    """The entries of a feed; `item N` counts from 1, in the order of the feed.

    `base` is where the feed came from, and what its relative links are relative to; where that is
    not known, they are relative to the page that the feed is of. `content_type` is what the server
    said. A date that cannot be read costs an entry its date, not its place: a note tells of it.
    Raises SourceError for what is no feed.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        yield from _json_feed_rows(content, source)
        return
    feed = _parsed(content, source, base, content_type)
    if not feed.get("version") and not feed.entries:
        raise _no_feed(content, source, base)
    # In Atom a title says whether it is markup; RSS leaves it to be found out.
    literal = str(feed.get("version")).startswith("atom")
    title, page = str(feed.feed.get("title", ""))[:_MOST_IN_TITLE], _page(feed.feed.get("link"))
    for number, entry in enumerate(feed.entries, start=1):
        place = f"item {number:,}"
        try:
            row = replace(_row(entry, place, source, literal=literal), base=page)
            yield from _dated(_published_by(title, row, source), source)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # feedparser's entries have the shape that the feed gives them.
            yield RejectedRow(place=place, reason=f"it cannot be understood ({error})")


def _parsed(
    content: bytes, source: SourceSettings, base: str | None, content_type: str | None
) -> Any:
    if source.encoding:
        content = text_of(content, source)[0].encode()
        content_type = "application/xml; charset=utf-8"
    headers = {"content-location": base or ""}
    if content_type:
        headers["content-type"] = content_type
    seconds = _TIMEOUT + _TIMEOUT_PER_MB * len(content) / 1_000_000

    def parse() -> Any:
        # A stream, because feedparser takes bytes that look like a name for a file's.
        return feedparser.parse(io.BytesIO(content), response_headers=headers, sanitize_html=False)

    try:
        # Thousands of attributes, categories or bases within bases take feedparser quadratic time.
        return run_within(seconds, parse)
    except FeedTimeout:
        raise SourceError(
            f"{source.name} is a feed that takes longer than {seconds:.0f} s to parse",
            hint="Ask its owner what is in it: no ordinary feed takes nearly as long.",
        ) from None
    except Exception as error:  # what a broken feed can raise in there has no end
        raise SourceError(
            f"{source.name} is a feed that cannot be parsed ({type(error).__name__}: {error})"
        ) from error


def _row(entry: dict[str, Any], place: str, source: SourceSettings, *, literal: bool) -> Row:
    content = next((part.get("value", "") for part in entry.get("content", ())), "")
    summary = _text(entry, "summary", literal=literal)
    categories = tuple(
        term for tag in entry.get("tags", ()) if (term := tag.get("label") or tag.get("term"))
    )
    fields = {
        Field.GUID: entry.get("id", ""),
        Field.TITLE: _text(entry, "title", literal=literal),
        Field.URL: entry.get("link", ""),
        # feedparser offers the content where there is no summary.
        Field.SUMMARY: "" if summary == content else summary,
        Field.CONTENT: content,
        Field.IMAGE_URL: _image(entry),
        Field.AUTHOR: entry.get("author_detail", {}).get("name") or entry.get("author", ""),
        # A section that the owner gave to the whole feed says more than a category.
        Field.SECTION: "" if source.section or not categories else categories[0],
        Field.PUBLISHED_AT: _published(entry, source),
    }
    return Row(place=place, fields=fields, tags=categories)


def _text(entry: Mapping[str, Any], name: str, *, literal: bool) -> str:
    """A text of an entry; one that is no markup is escaped, so that all can be read as markup."""
    text: str = entry.get(name) or ""
    if literal and entry.get(f"{name}_detail", {}).get("type") == "text/plain":
        # Entities are left: feeds that escape twice are many, and headlines about `&amp;` are few.
        return text.replace("<", "&lt;").replace(">", "&gt;")
    return text


def _published(entry: dict[str, Any], source: SourceSettings) -> str:
    """The date as written, or as feedparser reads it where we cannot (it knows more languages)."""
    # dict.get, because feedparser's own warns about a name that it once had another meaning for.
    name = "published" if dict.get(entry, "published") else "updated"
    written: str = dict.get(entry, name) or ""
    try:
        read_date(written, source.timezone, source.dates)
    except Unusable:
        return written  # feedparser would guess
    except ValueError:
        parts = dict.get(entry, f"{name}_parsed")
        if parts:
            return datetime.fromtimestamp(calendar.timegm(parts), UTC).isoformat()
    return written


def _page(link: object) -> str | None:
    """The page that a feed says it is of, if relative links can start there."""
    if not isinstance(link, str) or len(link) > MOST_CHARACTERS:
        return None
    return link.strip() if re.match(r"https?://[^/\s]", link.strip(), re.I) else None


def _published_by(title: str, row: Row, source: SourceSettings) -> Row:
    """The row with the feed's title as its publisher, where the source has no name of its own."""
    if source.publisher is None or not title.strip():
        return row
    return replace(row, fields={Field.PUBLISHER: title, **row.fields})


def _dated(row: Row, source: SourceSettings) -> Iterator[Row | Note]:
    """The row, without a date that cannot be read: it is news all the same."""
    try:
        read_date(row.fields.get(Field.PUBLISHED_AT, ""), source.timezone, source.dates)
    except ValueError as error:
        yield Note(place=row.place, text=f"{error}; the time of reading is used instead")
        row = replace(row, fields={**row.fields, Field.PUBLISHED_AT: ""})
    yield row


def _image(entry: Mapping[str, Any]) -> str:
    """The entry's picture: media:content, media:thumbnail, an enclosure, or an image element."""
    media = [*entry.get("media_content", ()), *entry.get("enclosures", ())]
    for item in media:
        kind = str(item.get("type", ""))
        address = item.get("url") or item.get("href")
        if address and (item.get("medium") == "image" or kind.startswith("image/")):
            return str(address)
    thumbnails = [item["url"] for item in entry.get("media_thumbnail", ()) if item.get("url")]
    return str(thumbnails[0] if thumbnails else entry.get("image", {}).get("href", ""))


def _json_feed_rows(content: bytes, source: SourceSettings) -> Iterator[Row | RejectedRow | Note]:
    """JSON Feed 1.1 (and 1.0): https://www.jsonfeed.org/version/1.1/."""
    text, notes = text_of(content, source)
    yield from notes
    try:
        feed = parsed(text)
    except ValueError as error:
        raise SourceError(f"{source.name} is not a feed: {error}") from None
    version = feed.get("version") if isinstance(feed, dict) else None
    if not str(version).startswith(_JSON_FEED):
        raise SourceError(
            f"{source.name} is JSON, but not a JSON Feed",
            hint="If it is a list of articles, its kind is json.",
        )
    items = feed.get("items")
    if not isinstance(items, list):
        raise SourceError(f"{source.name} is a JSON Feed without a list of items")
    title, page = str(feed.get("title") or "")[:_MOST_IN_TITLE], _page(feed.get("home_page_url"))
    for number, item in enumerate(items, start=1):
        row = row_of(item, f"item {number:,}", {})
        if isinstance(row, Row):
            row = replace(_json_feed_row(row, item, source), base=page)
            yield from _dated(_published_by(title, row, source), source)
        else:
            yield row


def _json_feed_row(row: Row, item: Mapping[str, Any], source: SourceSettings) -> Row:
    fields = dict(row.fields)
    title, text = item.get("title"), item.get("content_text")
    if isinstance(title, str):
        fields[Field.TITLE] = html.escape(title, quote=False)  # plain text, says the standard
    if isinstance(text, str) and not item.get("content_html"):
        fields[Field.CONTENT] = html.escape(text, quote=False)
    if row.tags and not source.section:
        fields.setdefault(Field.SECTION, row.tags[0])
    return replace(row, fields=fields)


def _feed_link(page: bytes, base: str | None) -> str | None:
    """The feed that a web page says it has."""
    links = (match[0] for match in _LINK.finditer(page[:200_000]))
    link = next((link for link in links if _OF_A_FEED.search(link)), b"")
    href = _HREF.search(link.decode("utf-8", "replace"))
    if href is None:
        return None
    try:
        return urljoin(base or "", html.unescape(href[1]))
    except ValueError:  # no host can be called that
        return None


def _no_feed(content: bytes, source: SourceSettings, base: str | None) -> SourceError:
    start = " ".join(content[:200].decode("utf-8", "replace").split())
    shown = "".join(c if c.isprintable() else "?" for c in start[:60])
    if feed := _feed_link(content, base):
        return SourceError(
            f"{source.name} is a web page, not a feed",
            hint=f"The page says that its feed is {feed}",
        )
    problem = f"not a feed: it starts with {shown!r}" if shown else "empty"
    return SourceError(
        f"{source.name} is {problem}",
        hint="Expected RSS, Atom or JSON Feed. Check the source in digest.toml.",
    )


class FeedTimeout(BaseException):
    """The time is up. Not an Exception: the work must not catch it and continue."""


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns. Raises FeedTimeout if that takes longer.

    The work runs in the calling thread, at its full speed, and is ended between two steps of the
    interpreter: one call into C that never returns goes on. Why it is not a process that can be
    killed: `docs/decisions/0018-a-feed-is-parsed-in-a-thread-with-a-deadline.md`.
    """
    worker = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    done = False

    def expire() -> None:
        with lock:
            if not done:
                # The interpreter's own way to raise in another thread (C API, Thread State).
                ctypes.pythonapi.PyThreadState_SetAsyncExc(worker, ctypes.py_object(FeedTimeout))

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        # Whoever has the lock first decides: after this nothing is raised any more.
        with lock:
            done = True
        timer.cancel()
