"""Storing an edition with its deliveries. From here on it is frozen."""

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

#: An edition is built anew when the editor or a reader was quicker; nobody is that quick often.
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
    """Build and store the edition of a slot, or of `now`.

    When it is skipped, nothing is stored: the articles wait for an edition with readers.
    Raises SlotTaken, TemplateError, or Superseded if the database never held still.
    """

    def attempt() -> Edition | Skipped:
        since = slots.first_made_up(db, slot) if slot else None
        build = build_edition(db, settings, newsletter, now=now, slot=slot, missed_since=since)
        if isinstance(build, Skipped):
            return build
        return store_edition(db, settings, newsletter, build, now=now, slot=slot)

    return retry_superseded(attempt)


def retry_superseded(attempt: Callable[[], _T]) -> _T:
    """The result of an attempt that is repeated while others are quicker. Raises Superseded."""
    for _ in range(_TRIES - 1):
        try:
            return attempt()
        except Superseded:
            continue
    return attempt()


def store_edition(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    build: EditionBuild,
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Edition | Skipped:
    """Store an edition, and with it that its slot has one. Raises what `edition_store` raises.

    Readers of a slot's edition are due at their hour; without a slot, everybody is at once.
    Raises SlotTaken, too, for a slot that was left out or drafted by hand since it was looked at,
    and Superseded if the editor has said something else about its draft.
    """
    if build.readers == 0:
        return NOBODY
    its_slot = slot or (build.draft.slot if build.draft else None)
    new = replace(
        build.new,
        images=embedded_images(build.edition, build.new.variants, settings, newsletter),
        due_times=due_times(db, newsletter, slot) if slot else None,
    )
    edition_id = edition_store.store(
        db,
        new,
        now=now,
        require_unchanged=lambda: _require_unchanged(db, build, its_slot) if its_slot else None,
    )
    return replace(build.edition, id=edition_id)


def _require_unchanged(db: Database, build: EditionBuild, slot: Slot) -> None:
    """Raise if somebody has given an order about the slot while its edition was rendered."""
    record = slots.find(db, slot.newsletter, slot.name)
    state = record.state if record else SlotState.DUE
    if state is not (SlotState.DRAFT if build.draft else SlotState.DUE):
        raise SlotTaken(
            f"the slot {slot.name} of {slot.newsletter} is {state} by now",
            hint="`digest status` shows what became of it.",
        )
    if drafts.find(db, slot) != build.draft:
        raise Superseded(f"the draft of {slot.newsletter} for {slot.name} was changed meanwhile")
