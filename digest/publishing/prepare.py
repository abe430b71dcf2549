"""Prepare: store the drafted edition. From here on it is frozen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from digest.config import Settings
from digest.errors import Superseded
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.draft import Draft, draft
from digest.publishing.hours import hours
from digest.publishing.pictures import pictures_of
from digest.publishing.skipped import NOBODY, Skipped
from digest.storage import freezing, slots
from digest.storage.connection import Database

#: A draft is made anew when the editor or a reader was quicker than we; nobody is that quick often.
_TRIES = 5


def prepare(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Edition | Skipped:
    """Draft and store the edition of a slot, or of `now`.

    When it is skipped, nothing is stored: the articles wait for an edition with readers.
    Raises SlotTaken, TemplateError, or Superseded if the database never held still.
    """
    return persistently(lambda: _prepare(db, settings, newsletter, now, slot))


def persistently(attempt: Callable[[], Edition | Skipped]) -> Edition | Skipped:
    """What an attempt comes to that is made again while others are quicker. Raises Superseded."""
    for _ in range(_TRIES - 1):
        try:
            return attempt()
        except Superseded:
            continue
    return attempt()


def _prepare(
    db: Database, settings: Settings, newsletter: Newsletter, now: datetime, slot: Slot | None
) -> Edition | Skipped:
    missed_since = slots.first_made_up(db, slot) if slot else None
    made = draft(db, settings, newsletter, now=now, slot=slot, missed_since=missed_since)
    if isinstance(made, Skipped):
        return made
    return freeze(db, settings, newsletter, made, now=now, slot=slot)


def freeze(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    made: Draft,
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Edition | Skipped:
    """Store a draft, and with it that its slot has its edition. Raises what `freezing` raises.

    Readers of a slot's edition are due at their hour; without a slot, everybody is at once.
    """
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
        hours=hours(db, newsletter, slot) if slot else None,
    )
    return replace(made.edition, id=edition_id)
