"""RSS, Atom and JSON Feed: the entries of a feed as rows."""

import calendar
import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urljoin

import feedparser  # type: ignore[import-untyped]  # it ships no types

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.dates import read_date
from digest.ingest.decoding import decoded
from digest.ingest.json_items import parsed, row_of
from digest.ingest.reading import Field, Rejected, Row

_JSON_FEED: Final = "https://jsonfeed.org/version/"
_FEED_LINK: Final = re.compile(
    rb"<link\b[^>]*type=[\"']?application/(?:rss|atom|feed)\+(?:xml|json)[^>]*>", re.I
)
_HREF: Final = re.compile(r"href=[\"']?([^\"'\s>]+)", re.I)


def rows(
    content: bytes, source: SourceSettings, *, base: str | None, content_type: str | None
) -> Iterator[Row | Rejected]:
    """The entries of a feed; `item N` counts from 1, in the order of the feed.

    `base` is where the feed came from, and what its relative links are relative to; `content_type`
    is what the server said. Raises SourceError for what is no feed.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        yield from _json_feed_rows(content, source)
        return
    feed = _parsed(content, source, base, content_type)
    if not feed.get("version") and not feed.entries:
        raise _no_feed(content, source, base)
    # In Atom a title says whether it is markup; RSS leaves it to be found out.
    literal = str(feed.get("version")).startswith("atom")
    for number, entry in enumerate(feed.entries, start=1):
        place = f"item {number:,}"
        try:
            yield _row(entry, place, source, literal=literal)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # feedparser's entries have the shape that the feed gives them.
            yield Rejected(place=place, reason=f"it makes no sense ({error})")


def _parsed(
    content: bytes, source: SourceSettings, base: str | None, content_type: str | None
) -> Any:
    if source.encoding:
        content = decoded(content, source.encoding, source.name).encode()
        content_type = "application/xml; charset=utf-8"
    headers = {"content-location": base or ""}
    if content_type:
        headers["content-type"] = content_type
    try:
        # A stream, because feedparser takes bytes that look like a name for a file's.
        return feedparser.parse(io.BytesIO(content), response_headers=headers, sanitize_html=False)
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
        read_date(written, source.timezone)
    except ValueError:
        parts = dict.get(entry, f"{name}_parsed")
        if parts:
            return datetime.fromtimestamp(calendar.timegm(parts), UTC).isoformat()
    return written


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


def _json_feed_rows(content: bytes, source: SourceSettings) -> Iterator[Row | Rejected]:
    """JSON Feed 1.1 (and 1.0): https://www.jsonfeed.org/version/1.1/."""
    try:
        feed = parsed(decoded(content, source.encoding, source.name))
    except ValueError as error:
        raise SourceError(f"{source.name} is no feed: {error}") from None
    version = feed.get("version") if isinstance(feed, dict) else None
    if not str(version).startswith(_JSON_FEED):
        raise SourceError(
            f"{source.name} is JSON, but no JSON Feed",
            hint="If it is a list of articles, its kind is json.",
        )
    items = feed.get("items")
    if not isinstance(items, list):
        raise SourceError(f"{source.name} is a JSON Feed without a list of items")
    for number, item in enumerate(items, start=1):
        row = row_of(item, f"item {number:,}", {})
        yield _json_feed_row(row, item, source) if isinstance(row, Row) else row


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


def _no_feed(content: bytes, source: SourceSettings, base: str | None) -> SourceError:
    start = " ".join(content[:200].decode("utf-8", "replace").split())
    shown = "".join(c if c.isprintable() else "?" for c in start[:60])
    link = _FEED_LINK.search(content[:200_000])
    href = _HREF.search(link[0].decode("utf-8", "replace")) if link else None
    if href:
        found = urljoin(base or "", html.unescape(href[1]))
        return SourceError(
            f"{source.name} is a web page, no feed", hint=f"The page says that its feed is {found}"
        )
    what = f"no feed: it starts with {shown!r}" if shown else "empty"
    return SourceError(
        f"{source.name} is {what}",
        hint="Expected RSS, Atom or JSON Feed. Check the source in digest.toml.",
    )
