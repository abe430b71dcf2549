"""One source, read: its document, its rows, its articles, and what was rejected."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from digest.config.settings import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.article import from_row
from digest.ingest.identity import identified
from digest.ingest.reading import Reading, Rejected, Row
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
    return urlsplit(source.location).scheme.lower() in ("http", "https")


async def read(
    source: SourceSettings, validators: Validators, *, site_url: str | None = None
) -> Reading:
    """Read a source over the network or from this machine. Raises SourceError.

    What takes the processor's time runs in a thread, so that other sources go on meanwhile.
    """
    if not is_remote(source):
        return await asyncio.to_thread(read_local, source)
    if source.kind is SourceKind.SQLITE:
        raise SourceError(
            f"{source.name}: a SQLite database is read from a file, not over the network",
            hint="Copy it to this machine, and give its `path`.",
        )
    from digest.ingest.fetch import Request, fetch

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
    articles, rejected = await asyncio.to_thread(articles_of, source, document)
    return Reading(
        articles=articles,
        rejected=rejected,
        etag=answer.etag,
        last_modified=answer.last_modified,
    )


def read_local(source: SourceSettings) -> Reading:
    """Read a file or another database of this machine. Raises SourceError."""
    if source.kind is SourceKind.SQLITE:
        from digest.ingest import sqlite_table

        articles, rejected = _sorted_out(sqlite_table.rows(source), source, source.base_url)
    else:
        from digest.ingest import local_file

        content = local_file.read(Path(source.location), source.name, source.max_bytes)
        articles, rejected = articles_of(source, Document(content=content))
    return Reading(articles=articles, rejected=rejected)


def articles_of(
    source: SourceSettings, document: Document
) -> tuple[tuple[NewArticle, ...], tuple[Rejected, ...]]:
    """The articles of a document, and the rows that are none. Raises SourceError."""
    base = source.base_url or document.base
    return _sorted_out(_rows(source, document, base), source, base)


def _rows(source: SourceSettings, document: Document, base: str | None) -> Iterable[Row | Rejected]:
    match source.kind:
        case SourceKind.FEED:
            from digest.ingest import feeds

            return feeds.rows(
                document.content, source, base=base, content_type=document.content_type
            )
        case SourceKind.CSV:
            from digest.ingest import csv_file

            return csv_file.rows(document.content, source)
        case SourceKind.JSON:
            from digest.ingest import json_file

            return json_file.rows(document.content, source)
        case SourceKind.JSONL:
            from digest.ingest import json_file

            return json_file.line_rows(document.content, source)
        case SourceKind.SQLITE:
            raise ValueError("a SQLite database is opened, not read as a document")


def _sorted_out(
    rows: Iterable[Row | Rejected], source: SourceSettings, base: str | None
) -> tuple[tuple[NewArticle, ...], tuple[Rejected, ...]]:
    articles: list[NewArticle] = []
    places: list[str] = []
    rejected: list[Rejected] = []
    for row in rows:
        result = from_row(row, source, base) if isinstance(row, Row) else row
        if isinstance(result, Rejected):
            rejected.append(result)
        else:
            articles.append(result)
            places.append(row.place)
    kept, clashing = _without_clashes(identified(articles, source.name), places)
    return kept, (*rejected, *clashing)


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
