"""Stop: the emergency brake. No further message of these editions leaves."""

from datetime import datetime

from digest.config import Settings
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.storage import editions
from digest.storage.database import open_database


def stop(
    settings: Settings, newsletter: Newsletter | None = None, *, now: datetime
) -> tuple[Edition, ...]:
    """Stop and name every edition that is under way: of this newsletter, or of all of them.

    There can be several: readers in the west may still wait for one while the next is on its way
    to those in the east. A process that is sending one looks at this before each final dot, on
    every connection.
    """
    chosen = settings.newsletters.values() if newsletter is None else (newsletter,)
    with open_database(settings.database, create=False) as db, db.transaction():
        under_way = tuple(
            edition
            for one in chosen
            for edition in editions.incomplete(db, one.key)
            if edition.state is EditionState.PREPARED and not edition.stopped
        )
        for edition in under_way:
            editions.stop(db, edition.stored_id, now)
    return under_way
