"""Outlook: what a call of `send` would do, without doing it."""

from dataclasses import dataclass
from datetime import datetime

from digest.config import Settings
from digest.model.delivery import DeliveryState
from digest.model.edition import EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.run import require_postal_address
from digest.publishing.drafts.at_hand import to_send
from digest.publishing.editions.build import draft
from digest.publishing.skipped import NOBODY, Skipped
from digest.storage import deliveries, editions
from digest.storage.database import Access, open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """An edition that was begun would be finished; `readers` still wait for it."""

    number: int
    subject: str
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A new edition would be made, for so many `readers`."""

    number: int
    subject: str
    readers: int


def outlook(
    settings: Settings, newsletter: Newsletter, *, now: datetime
) -> Resume | Begin | Skipped:
    """What `send` would do at `now`. Writes nothing; raises what `send` would raise."""
    require_postal_address(settings)
    with open_database(settings.database, Access.READ) as db:
        last = editions.last(db, newsletter.key)
        if last is not None and last.state is EditionState.PREPARED:
            counts = deliveries.counts(db, last.stored_id)
            waiting = counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED]
            return Resume(number=last.number, subject=last.subject, readers=waiting)
        made = to_send(db, settings, newsletter, now=now)
        if made is None:
            made = draft(db, settings, newsletter, now=now)
    if isinstance(made, Skipped):
        return made
    if made.readers == 0:
        return NOBODY
    return Begin(number=made.edition.number, subject=made.edition.subject, readers=made.readers)
