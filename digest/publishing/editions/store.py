"""Prepare: store the drafted edition. From here on it is frozen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from digest.config import Settings
from digest.errors import SlotTaken, Superseded
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, SlotState
from digest.publishing.editions.build import (
    NOBODY,
    EditionBuild,
    Skipped,
    build_edition,
    embedded_images,
)
from digest.publishing.editions.due_times import due_times
from digest.storage import drafts, edition_store, slots
from digest.storage.database import Database

#: A draft is made anew when the editor or a reader was quicker than we; nobody is that quick often.
_TRIES = 5

_T = TypeVar("_T")


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
    return retry_superseded(lambda: _prepare(db, settings, newsletter, now, slot))


def retry_superseded(attempt: Callable[[], _T]) -> _T:
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
    made = build_edition(db, settings, newsletter, now=now, slot=slot, missed_since=missed_since)
    if isinstance(made, Skipped):
        return made
    return store_edition(db, settings, newsletter, made, now=now, slot=slot)


def store_edition(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    made: EditionBuild,
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Edition | Skipped:
    """Store a draft, and with it that its slot has its edition. Raises what `freezing` raises.

    Readers of a slot's edition are due at their hour; without a slot, everybody is at once.
    Raises SlotTaken, too, for a slot that was left out or drafted by hand since it was looked at,
    and Superseded if the editor has said something else about its draft.
    """
    if made.readers == 0:
        return NOBODY
    of = slot or (made.proposal.slot if made.proposal else None)
    edition_id = edition_store.store(
        db,
        made.edition,
        decisions=made.decisions,
        variants=made.press.variants,
        audience=made.audience,
        images=embedded_images(made.edition, made.press.variants, settings, newsletter),
        questions=made.press.questions,
        last_article_id=made.last_article_id,
        now=now,
        hours=due_times(db, newsletter, slot) if slot else None,
        still=lambda: _require_unchanged(db, made, of) if of else None,
    )
    return replace(made.edition, id=edition_id)


def _require_unchanged(db: Database, made: EditionBuild, slot: Slot) -> None:
    """Raise if somebody has given an order about the slot while its edition was rendered."""
    record = slots.find(db, slot.newsletter, slot.name)
    state = record.state if record else SlotState.DUE
    if state is not (SlotState.DRAFT if made.proposal else SlotState.DUE):
        raise SlotTaken(
            f"the slot {slot.name} of {slot.newsletter} is {state} by now",
            hint="`digest status` shows what became of it.",
        )
    if drafts.find(db, slot) != made.proposal:
        raise Superseded(f"the draft of {slot.newsletter} for {slot.name} was changed meanwhile")
