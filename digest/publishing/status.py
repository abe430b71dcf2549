"""Status: how the editions stand, and who does not surely have one."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.config import Settings
from digest.model.delivery import DeliveryState, complete
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.storage import deliveries, editions
from digest.storage.connection import Access, Database, open_database
from digest.storage.deliveries import Unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStatus:
    """One edition, its deliveries by state, and everybody who does not surely have it."""

    edition: Edition
    counts: Mapping[DeliveryState, int]
    unfinished: tuple[Unfinished, ...]

    @property
    def complete(self) -> bool:
        """Whether every reader surely has it, or was rightly passed over."""
        return complete(self.counts)


def status(
    settings: Settings, newsletter: Newsletter, *, number: int | None = None, most: int = 5
) -> tuple[EditionStatus, ...]:
    """The edition of this number, or the newest ones and all that are not complete.

    Newest first; empty if there is none.
    """
    with open_database(settings.database, Access.READ) as db:
        if number is None:
            found = _recent_and_incomplete(db, newsletter.key, most)
        else:
            one = editions.find(db, newsletter.key, number)
            found = (one,) if one else ()
        return tuple(
            EditionStatus(
                edition=edition,
                counts=deliveries.counts(db, edition.stored_id),
                unfinished=deliveries.unfinished(db, edition.stored_id),
            )
            for edition in found
        )


def _recent_and_incomplete(db: Database, newsletter: str, most: int) -> tuple[Edition, ...]:
    """The newest editions, and every older one that somebody does not surely have."""
    found = {edition.number: edition for edition in editions.incomplete(db, newsletter)}
    found |= {edition.number: edition for edition in editions.recent(db, newsletter, most)}
    return tuple(found[number] for number in sorted(found, reverse=True))
