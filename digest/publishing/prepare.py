"""Prepare: store the drafted edition. From here on it is frozen."""

from datetime import datetime

from digest.config import Settings
from digest.errors import Superseded
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.draft import Draft, draft
from digest.selection import TooFew
from digest.storage import editions
from digest.storage.connection import Database

#: A draft is made anew when the editor or a reader was quicker than we; nobody is that quick often.
_TRIES = 5


def prepare(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> Edition | TooFew | None:
    """Draft and store the edition of `now`; None if nobody would receive it.

    Nothing is stored in the last two cases: the articles wait for an edition with readers.
    Raises SlotTaken, TemplateError, or Superseded if the database never held still.
    """
    for attempt in range(1, _TRIES + 1):
        result = draft(db, settings, newsletter, now=now)
        if isinstance(result, TooFew):
            return result
        if result.readers == 0:
            return None
        try:
            return _store(db, result, now)
        except Superseded:
            if attempt == _TRIES:
                raise
    return None


def _store(db: Database, made: Draft, now: datetime) -> Edition | None:
    editions.store(
        db,
        made.edition,
        decisions=made.decisions,
        variants=made.press.variants,
        audience=made.audience,
        last_article_id=made.last_article_id,
        now=now,
    )
    return editions.last(db, made.edition.newsletter)
