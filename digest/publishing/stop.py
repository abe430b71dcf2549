"""Stop: the emergency brake. No further message of these editions leaves."""

from datetime import datetime

from digest.config import Settings
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.storage import editions
from digest.storage.connection import open_database


def stop(settings: Settings, newsletter: Newsletter, *, now: datetime) -> Edition | None:
    """Stop the edition that is under way; None if there is none.

    A process that is sending it looks at this before each final dot, on every connection.
    """
    with open_database(settings.database, create=False) as db:
        edition = editions.unfinished(db, newsletter.key)
        if edition is None or edition.stopped:
            return None
        editions.stop(db, edition.stored_id, now)
        return edition
