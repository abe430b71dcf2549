"""One source, read: its document, its rows, its articles, and what was rejected."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from digest.config.settings import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.identity import identified
from digest.ingest.normalize import from_row
from digest.ingest.rows import Note, Reading, Rejected, Row
from digest.lib.redact import without_login
from digest.model.article import NewArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a server gave with its last answer, to tell it next time (RFC 9110 section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The bytes of a source. `base` is its address, None for a file."""

    content: bytes
    base: str | None = None
    content_type: str | None = None


def is_remote(source: SourceSettings) -> bool:
    """Whether a source is read over the network."""
    # Not urlsplit, which refuses some hosts: whoever fetches says so in our words.
    return source.location.lower().startswith(("http:", "https:"))


async def read(
    source: SourceSettings, validators: Validators, *, site_url: str | None = None
) -> Reading:
    """Read a source over the network or from this machine. Raises SourceError, and nothing else.

    What takes the processor's time runs in a thread, so that other sources go on meanwhile.
    """
    try:
        return await _read(source, validators, site_url)
    except SourceError:
        raise
    except Exception as error:  # one source must never stop all others
        raise SourceError(
            f"{source.name} cannot be read, for a reason that was not foreseen"
            f" ({type(error).__name__}: {without_login(str(error)[:200])})",
            hint="The other sources are read all the same. Please report this one.",
        ) from error


async def _read(source: SourceSettings, validators: Validators, site_url: str | None) -> Reading:
    if not is_remote(source):
        return await asyncio.to_thread(read_local, source, site_url=site_url)
    if source.kind is SourceKind.SQLITE:
        raise SourceError(
            f"{source.name}: a SQLite database is read from a file, not over the network",
            hint="Copy it to this machine, and give its `path`.",
        )
    from digest.ingest.http import Request, fetch

    request = Request(
        url=source.location,
        timeout=source.timeout,
        max_bytes=source.max_bytes,
        allow_private=source.allow_private,
        etag=validators.etag,
        last_modified=validators.last_modified,
        site_url=site_url,
    )
    answer = await fetch(request)
    if answer.content is None:
        return Reading(etag=answer.etag, last_modified=answer.last_modified, not_modified=True)
    document = Document(content=answer.content, base=answer.url, content_type=answer.content_type)
    reading = await asyncio.to_thread(articles_of, source, document)
    return replace(reading, etag=answer.etag, last_modified=answer.last_modified)


def read_local(source: SourceSettings, *, site_url: str | None = None) -> Reading:
    """Read a file or another database of this machine. Raises SourceError.

    `site_url` is what a feed's relative links are relative to where nothing else says so.
    """
    if source.kind is SourceKind.SQLITE:
        from digest.ingest import sqlite_source

        return _sorted_out(sqlite_source.rows(source), source, source.base_url)
    from digest.ingest import local_file

    content = local_file.read(Path(source.location), source.name, source.max_bytes)
    return articles_of(source, Document(content=content), site_url=site_url)


def articles_of(
    source: SourceSettings, document: Document, *, site_url: str | None = None
) -> Reading:
    """The articles of a document, and the rows that are none. Raises SourceError."""
    base = source.base_url or document.base
    rows = _rows(source, document, base)
    if source.kind is SourceKind.FEED and base is None:
        rows = (_with_base(row, site_url) for row in rows)
    return _sorted_out(rows, source, base)


def _with_base(row: Row | Rejected | Note, base: str | None) -> Row | Rejected | Note:
    return replace(row, base=base) if isinstance(row, Row) and row.base is None else row


def _rows(
    source: SourceSettings, document: Document, base: str | None
) -> Iterable[Row | Rejected | Note]:
    match source.kind:
        case SourceKind.FEED:
            from digest.ingest import feeds

            return feeds.rows(
                document.content, source, base=base, content_type=document.content_type
            )
        case SourceKind.CSV:
            from digest.ingest import csv_source

            return csv_source.rows(document.content, source)
        case SourceKind.JSON:
            from digest.ingest import json_source

            return json_source.rows(document.content, source)
        case SourceKind.JSONL:
            from digest.ingest import json_source

            return json_source.line_rows(document.content, source)
        case SourceKind.SQLITE:
            raise ValueError("a SQLite database is opened, not read as a document")


def _sorted_out(
    rows: Iterable[Row | Rejected | Note], source: SourceSettings, base: str | None
) -> Reading:
    articles: list[NewArticle] = []
    places: list[str] = []
    rejected: list[Rejected] = []
    notes: list[Note] = []
    for row in rows:
        match from_row(row, source, base) if isinstance(row, Row) else row:
            case Rejected() as reject:
                rejected.append(reject)
            case Note() as note:
                notes.append(note)
            case NewArticle() as article:
                articles.append(article)
                places.append(row.place)
    kept, clashing = _without_clashes(identified(articles, source.name), places)
    return Reading(articles=kept, rejected=(*rejected, *clashing), notes=tuple(notes))


def _without_clashes(
    articles: tuple[NewArticle, ...], places: list[str]
) -> tuple[tuple[NewArticle, ...], list[Rejected]]:
    """The articles, without those that claim to be an earlier one and are not."""
    first: dict[str, tuple[str, NewArticle]] = {}
    kept: list[NewArticle] = []
    rejected: list[Rejected] = []
    for place, article in zip(places, articles, strict=True):
        there, earlier = first.setdefault(article.identity, (place, article))
        if (article.title, article.url) == (earlier.title, earlier.url):
            kept.append(article)
            continue
        what = f"guid {article.guid[:60]!r}" if article.guid else "title"
        reason = f"it has the same {what} as {there}"
        rejected.append(Rejected(place=place, reason=reason, excerpt=article.title))
    return tuple(kept), rejected
