"""Prepare: store the drafted edition. From here on it is frozen."""

from dataclasses import replace
from datetime import datetime

from digest.config import Settings
from digest.errors import Superseded
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.draft import Draft, draft
from digest.publishing.pictures import pictures_of
from digest.publishing.skipped import NOBODY, Skipped
from digest.storage import freezing
from digest.storage.connection import Database

#: A draft is made anew when the editor or a reader was quicker than we; nobody is that quick often.
_TRIES = 5


def prepare(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> Edition | Skipped:
    """Draft and store the edition of `now`.

    When it is skipped, nothing is stored: the articles wait for an edition with readers.
    Raises SlotTaken, TemplateError, or Superseded if the database never held still.
    """
    for _ in range(_TRIES - 1):
        result = draft(db, settings, newsletter, now=now)
        if isinstance(result, Skipped):
            return result
        try:
            return _store(db, settings, newsletter, result, now)
        except Superseded:
            continue
    result = draft(db, settings, newsletter, now=now)
    return result if isinstance(result, Skipped) else _store(db, settings, newsletter, result, now)


def _store(
    db: Database, settings: Settings, newsletter: Newsletter, made: Draft, now: datetime
) -> Edition | Skipped:
    if made.readers == 0:
        return NOBODY
    edition_id = freezing.store(
        db,
        made.edition,
        decisions=made.decisions,
        variants=made.press.variants,
        audience=made.audience,
        images=pictures_of(made.edition, made.press.variants, settings, newsletter),
        questions=made.press.questions,
        last_article_id=made.last_article_id,
        now=now,
    )
    return replace(made.edition, id=edition_id)
