"""A row of any source as an article, or the reason why it is none. Pure.

Its identity (`digest.model.article_identity`) comes last: whether a link says which article it is
shows only when all rows of a reading are known.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from digest.config.settings import SourceKind, SourceSettings
from digest.ingest.dates import read_date
from digest.ingest.html import plain, sanitised, shorten, tidy
from digest.ingest.rows import Field, RejectedRow, Row, Unusable, excerpt_of
from digest.ingest.urls import canonical, cleaned, is_homepage
from digest.model.article import NewArticle
from digest.model.article_identity import identity_of

#: Limits in characters. A longer title is a mistake of the source; longer summaries are cut.
MOST_IN_TITLE: Final = 500
MOST_IN_SUMMARY: Final = 2_000
MOST_IN_CONTENT: Final = 200_000
#: How much of the content stands in for a missing summary.
_TEASER: Final = 300
_MOST_IN_NAME: Final = 200
_MOST_IN_GUID: Final = 2_000
_MOST_TAGS: Final = 50
_MOST_PRIORITY: Final = 1_000_000

_BETWEEN_TAGS: Final = re.compile(r"[,;|\n]")


def from_row(row: Row, source: SourceSettings, base: str | None) -> NewArticle | RejectedRow:
    """The article that a row tells, still without its identity.

    `base` is what relative links are relative to, where that is known; it goes before the row's.
    """
    fields, base = row.fields, base or row.base
    try:
        url = cleaned(_required(fields.get(Field.URL), Field.URL), base)
        content = sanitised(fields.get(Field.CONTENT, ""), MOST_IN_CONTENT, base)
        return NewArticle(
            identity="",
            source=_name(fields.get(Field.PUBLISHER)) or source.publisher or source.name,
            guid=tidy(fields.get(Field.GUID, ""))[:_MOST_IN_GUID] or None,
            url=url,
            canonical_url=canonical(url),
            title=_title(fields.get(Field.TITLE)),
            summary=_summary(fields.get(Field.SUMMARY, ""), content),
            content=content,
            image_url=_image(fields.get(Field.IMAGE_URL, "").strip(), source, base),
            author=_name(fields.get(Field.AUTHOR)),
            section=_name(fields.get(Field.SECTION)) or source.section,
            tags=_tags(row.tags or _BETWEEN_TAGS.split(fields.get(Field.TAGS, ""))),
            priority=_priority(fields.get(Field.PRIORITY, "").strip()),
            published_at=_date(fields, Field.PUBLISHED_AT, source),
            expires_at=_date(fields, Field.EXPIRES_AT, source),
        )
    except ValueError as error:
        return RejectedRow(
            place=row.place,
            reason=str(error),
            excerpt=excerpt_of(row),
            hint=error.hint if isinstance(error, Unusable) else "",
        )


def _required(text: str | None, field: Field) -> str:
    if text is None or not text.strip():
        raise ValueError(f"it has no {field}")
    return text


def _title(text: str | None) -> str:
    raw = _required(text, Field.TITLE)
    # Cleaning a novel to find out that it is no title would take long.
    title = plain(raw) if len(raw) <= 20 * MOST_IN_TITLE else raw
    if len(title) > MOST_IN_TITLE:
        raise ValueError(f"the title has {len(title):,} characters, at most {MOST_IN_TITLE}")
    if not title:
        raise ValueError("the title holds no text")
    return title


def _summary(text: str, content: str) -> str:
    # What a reader sees of it is at most 2,000 characters; ten times that holds its markup.
    summary = shorten(plain(text[: 10 * MOST_IN_SUMMARY]), MOST_IN_SUMMARY)
    if summary or not content:
        return summary
    return shorten(plain(content[: 20 * _TEASER]), _TEASER)


def _name(text: str | None) -> str | None:
    return shorten(plain(text[: 10 * _MOST_IN_NAME]), _MOST_IN_NAME) or None if text else None


def _image(text: str, source: SourceSettings, base: str | None) -> str | None:
    """The address of an image, or the path of one that travels with the newsletter's own files."""
    if not text:
        return None
    own = source.kind is not SourceKind.FEED
    if own and base is None and not re.match(r"[a-z][a-z0-9+.-]+:|//", text, re.I):
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
            raise ValueError(f"the image {text[:60]!r} is not inside the newsletter's folder")
        return str(path)
    try:
        return cleaned(text, base)
    except ValueError as error:
        if own:
            raise ValueError(f"the image: {error}") from None
        return None  # feeds are full of images that are none; the article is good without


def _tags(texts: Iterable[str]) -> tuple[str, ...]:
    tags: dict[str, str] = {}
    for text in texts:
        tag = _name(text)
        if tag:
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:_MOST_TAGS]


def _priority(text: str) -> int:
    if not text:
        return 0
    try:
        priority = float(text)
    except ValueError:
        raise ValueError(f"the priority {text[:40]!r} is not a number") from None
    if not (priority.is_integer() and abs(priority) <= _MOST_PRIORITY):
        raise ValueError(
            f"the priority {text[:40]!r} is not a whole number of at most {_MOST_PRIORITY:,}"
        )
    return int(priority)


def _date(fields: Mapping[Field, str], field: Field, source: SourceSettings) -> datetime | None:
    return read_date(fields.get(field, ""), source.timezone, source.dates)


def identified(articles: Iterable[NewArticle], source: str) -> tuple[NewArticle, ...]:
    """The articles of one reading of `source`, each with its identity.

    A homepage identifies no article, and neither does a link that several titles of the reading
    share: those articles live by their GUID or their title.
    """
    articles = tuple(articles)
    titles = defaultdict(set)
    for article in articles:
        titles[article.canonical_url].add(article.title.casefold())
    with_identity = []
    for article in articles:
        link = article.canonical_url
        unique = not is_homepage(link) and len(titles[link]) == 1
        identity = identity_of(article, source, url_identifies=unique)
        with_identity.append(replace(article, identity=identity, url_identifies=unique))
    return tuple(with_identity)
