"""An article that the editor writes down, by the same rules as one that a source tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from digest.config import SourceKind, SourceSettings
from digest.ingest.normalize import from_row, identified
from digest.ingest.rows import Field, RejectedRow, Row
from digest.model.article import Article, NewArticle
from digest.model.newsletter import Site
from digest.storage import articles
from digest.storage.database import Database


class Result(StrEnum):
    """What came of writing an article down."""

    ADDED = "added"
    CORRECTED = "corrected"
    UNCHANGED = "is there already"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualArticle:
    """The article as it is stored now, and what came of writing it down."""

    result: Result
    article: Article


def upsert_manual(
    db: Database, fields: Mapping[Field, str], *, site: Site, folder: Path, now: datetime
) -> ManualArticle | RejectedRow:
    """Keep an article, or correct the one with this link, or say why it is none.

    A correction changes what `fields` has, and nothing else: an empty text empties a value, what is
    missing stays. A new article without a publisher is from the site itself. A local image must be
    inside `folder`.
    """
    article = _read(fields, site, folder)
    if isinstance(article, RejectedRow):
        return article
    stored = (
        articles.find_by_link(db, article.canonical_url, source=article.source)
        if article.url_identifies
        else articles.find_by_identity(db, article.identity)
    )
    if stored is None:
        return ManualArticle(result=Result.ADDED, article=articles.add(db, article, now))
    changed = articles.correct(db, stored.id, article, {field.value for field in fields}, now)
    return ManualArticle(
        result=Result.CORRECTED if changed else Result.UNCHANGED,
        article=articles.existing(db, stored.id),
    )


def _read(fields: Mapping[Field, str], site: Site, folder: Path) -> NewArticle | RejectedRow:
    # The editor is a source of the site's own: local images are allowed, and times are local.
    editor = SourceSettings(
        name=site.name, kind=SourceKind.CSV, location="", timezone=site.timezone
    )
    article = from_row(Row(place="", fields=fields), editor, None)
    if isinstance(article, RejectedRow):
        return article
    image = article.image_url or ""
    if image and not image.startswith(("http://", "https://")) and not _is_in(folder, image):
        return RejectedRow(
            place="",
            reason=f"there is no image {image!r} in the newsletter's folder",
            hint=f"Put the file into {folder}, or name one that is there. A URL works, too.",
        )
    return identified([article], site.name)[0]


def _is_in(folder: Path, image: str) -> bool:
    try:
        path = (folder / image).resolve()
        return path.is_file() and path.is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
