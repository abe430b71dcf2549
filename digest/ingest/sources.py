"""Sources, read and stored: each one's document, its rows, its articles, and what was rejected.

Many are read at once, and one that is broken does not stop the others.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from digest.config.settings import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.normalize import from_row, identified
from digest.ingest.rows import Note, RejectedRow, Row, SourceReading
from digest.lib.redact import without_login
from digest.model.article import NewArticle
from digest.storage import sources
from digest.storage.article_upsert import upsert
from digest.storage.database import Database

#: How many sources are read at once.
AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What became of one source. Counts are of articles; `error` says why it could not be read."""

    source: str
    new: int = 0
    edited: int = 0
    unchanged: int = 0
    rejected: tuple[RejectedRow, ...] = ()
    notes: tuple[Note, ...] = ()
    error: SourceError | None = None
    not_modified: bool = False

    @property
    def failed(self) -> bool:
        """Whether nothing came of it: it could not be read, or every row was rejected."""
        usable = self.new + self.edited + self.unchanged
        return self.error is not None or bool(self.rejected and not usable)


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


def gather(
    db: Database,
    read_from: Sequence[SourceSettings],
    *,
    now: datetime,
    site_url: str | None = None,
) -> tuple[SourceReport, ...]:
    """Read the sources, and keep their articles; the reports stand in the order of the sources.

    Each source is kept in one transaction, and its validators are remembered only after that: what
    a server says is old has been stored. The database is used in the calling thread alone, which
    must not run an event loop.
    """
    return asyncio.run(_gather(db, read_from, now, site_url))


async def _gather(
    db: Database,
    read_from: Sequence[SourceSettings],
    now: datetime,
    site_url: str | None,
) -> tuple[SourceReport, ...]:
    free = asyncio.Semaphore(AT_ONCE)
    reports = []
    # Not a TaskGroup: an error of the database must come out as itself, not inside a group.
    tasks = [
        asyncio.create_task(_read_kept(source, _validators(db, source), site_url, free))
        for source in read_from
    ]
    try:
        for source, task in zip(read_from, tasks, strict=True):
            reports.append(_kept(db, source, await task, now))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(reports)


async def _read_kept(
    source: SourceSettings, validators: Validators, site_url: str | None, free: asyncio.Semaphore
) -> SourceReading | SourceError:
    async with free:
        try:
            return await read(source, validators, site_url=site_url)
        except SourceError as error:
            return error


def _kept(
    db: Database, source: SourceSettings, reading: SourceReading | SourceError, now: datetime
) -> SourceReport:
    location = without_login(source.location)
    if isinstance(reading, SourceError):
        sources.record_failure(db, source.name, location, error=reading.message, now=now)
        return SourceReport(source=source.name, error=reading)
    kept = upsert(db, reading.articles, now)
    sources.record_reading(
        db,
        source.name,
        location,
        etag=reading.etag,
        last_modified=reading.last_modified,
        found_new=kept.new > 0,
        now=now,
    )
    if kept.new:
        # When they were published, not when we read them: we may have been away.
        days = (
            (article.published_at or now).astimezone(UTC).date() for article in reading.articles
        )
        sources.record_days(db, source.name, days, now=now)
    return SourceReport(
        source=source.name,
        **asdict(kept),
        rejected=reading.rejected,
        notes=reading.notes,
        not_modified=reading.not_modified,
    )


def _validators(db: Database, source: SourceSettings) -> Validators:
    """Those of the last reading, if it read the same place."""
    last = sources.find(db, source.name)
    if last is None or last.location != without_login(source.location):
        return Validators()
    return Validators(etag=last.etag, last_modified=last.last_modified)


def is_remote(source: SourceSettings) -> bool:
    """Whether a source is read over the network."""
    # Not urlsplit, which refuses some hosts: whoever fetches says so in our words.
    return source.location.lower().startswith(("http:", "https:"))


async def read(
    source: SourceSettings, validators: Validators, *, site_url: str | None = None
) -> SourceReading:
    """Read a source over the network or from this machine. Raises SourceError, and nothing else.

    What takes the processor's time runs in a thread, so that other sources go on meanwhile.
    """
    try:
        return await _read(source, validators, site_url)
    except SourceError:
        raise
    except Exception as error:  # one source must never stop all others
        raise SourceError(
            f"{source.name} cannot be read, for an unexpected reason"
            f" ({type(error).__name__}: {without_login(str(error)[:200])})",
            hint="The other sources are read anyway. Please report this one.",
        ) from error


async def _read(
    source: SourceSettings, validators: Validators, site_url: str | None
) -> SourceReading:
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
        return SourceReading(
            etag=answer.etag, last_modified=answer.last_modified, not_modified=True
        )
    document = Document(content=answer.content, base=answer.url, content_type=answer.content_type)
    reading = await asyncio.to_thread(articles_of, source, document)
    return replace(reading, etag=answer.etag, last_modified=answer.last_modified)


def read_local(source: SourceSettings, *, site_url: str | None = None) -> SourceReading:
    """Read a file or another database of this machine. Raises SourceError.

    `site_url` is what a feed's relative links are relative to where nothing else says so.
    """
    if source.kind is SourceKind.SQLITE:
        from digest.ingest import sqlite_source

        return _sort_rows(sqlite_source.rows(source), source, source.base_url)

    content = read_file(Path(source.location), source.name, source.max_bytes)
    return articles_of(source, Document(content=content), site_url=site_url)


def articles_of(
    source: SourceSettings, document: Document, *, site_url: str | None = None
) -> SourceReading:
    """The articles of a document, and the rows that are none. Raises SourceError."""
    base = source.base_url or document.base
    rows = _rows(source, document, base)
    if source.kind is SourceKind.FEED and base is None:
        rows = (
            replace(row, base=site_url) if isinstance(row, Row) and row.base is None else row
            for row in rows
        )
    return _sort_rows(rows, source, base)


def _rows(
    source: SourceSettings, document: Document, base: str | None
) -> Iterable[Row | RejectedRow | Note]:
    match source.kind:
        case SourceKind.FEED:
            from digest.ingest import feeds

            return feeds.rows(
                document.content, source, base=base, content_type=document.content_type
            )
        case SourceKind.CSV:
            from digest.ingest import csv_source

            return csv_source.rows(document.content, source)
        case SourceKind.JSON | SourceKind.JSONL:
            from digest.ingest import json_source

            lines = source.kind is SourceKind.JSONL
            return (json_source.line_rows if lines else json_source.rows)(document.content, source)
        case SourceKind.SQLITE:
            raise ValueError("a SQLite database is opened, not read as a document")


def _sort_rows(
    rows: Iterable[Row | RejectedRow | Note], source: SourceSettings, base: str | None
) -> SourceReading:
    articles: list[NewArticle] = []
    places: list[str] = []
    rejected: list[RejectedRow] = []
    notes: list[Note] = []
    for row in rows:
        match from_row(row, source, base) if isinstance(row, Row) else row:
            case RejectedRow() as reject:
                rejected.append(reject)
            case Note() as note:
                notes.append(note)
            case NewArticle() as article:
                articles.append(article)
                places.append(row.place)
    kept, clashing = _without_clashes(identified(articles, source.name), places)
    return SourceReading(articles=kept, rejected=(*rejected, *clashing), notes=tuple(notes))


def _without_clashes(
    articles: tuple[NewArticle, ...], places: list[str]
) -> tuple[tuple[NewArticle, ...], list[RejectedRow]]:
    """The articles, without those that claim to be an earlier one and are not."""
    first: dict[str, tuple[str, NewArticle]] = {}
    kept: list[NewArticle] = []
    rejected: list[RejectedRow] = []
    for place, article in zip(places, articles, strict=True):
        earlier_place, earlier = first.setdefault(article.identity, (place, article))
        if (article.title, article.url) == (earlier.title, earlier.url):
            kept.append(article)
            continue
        key = f"guid {article.guid[:60]!r}" if article.guid else "title"
        reason = f"it has the same {key} as {earlier_place}"
        rejected.append(RejectedRow(place=place, reason=reason, excerpt=article.title))
    return tuple(kept), rejected


def read_file(path: Path, name: str, most: int) -> bytes:
    """The bytes of a file. Raises SourceError for one that is missing, no file, or too large.

    Only regular files are read: a pipe or a device might never end.
    """
    shown = os.path.normpath(path)
    try:
        if not path.exists():
            raise SourceError(f"{name}: there is no file {shown}", hint="Check the path.")
        if not path.is_file():
            raise SourceError(f"{name}: {shown} is not a file", hint="Check the path.")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise SourceError(
            f"{name}: {shown} cannot be read ({error.strerror or error})",
            hint="Check the rights on the file and its folders.",
        ) from error
    if len(content) > most:
        raise SourceError(
            f"{name}: {shown} is larger than {most:,} bytes",
            hint="If that is right, raise `max_bytes` at the source in digest.toml.",
        )
    return content
