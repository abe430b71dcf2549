"""Editions: read as they were stored, and how far each of them is."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.lib.timestamps import optional_text, to_text
from digest.model.edition import Edition, EditionState, RenderedVariant, Story
from digest.storage.database import Database
from digest.storage.rows import from_row

#: Separates the paragraphs of an intro; no paragraph contains a line break.
BETWEEN_PARAGRAPHS: Final = "\n\n"

_LAST = "select * from editions where newsletter = ? order by number desc limit 1"


def last_row(db: Database, newsletter: str) -> sqlite3.Row | None:
    """The newest edition as the ledger has it, for whoever stores the next one."""
    return db.row(_LAST, (newsletter,))


def last(db: Database, newsletter: str) -> Edition | None:
    """The newest edition of a newsletter."""
    row = last_row(db, newsletter)
    return _edition(db, row) if row else None


_BY_NUMBER = "select * from editions where newsletter = ? and number = ?"


def find(db: Database, newsletter: str, number: int) -> Edition | None:
    """The edition of this number."""
    row = db.row(_BY_NUMBER, (newsletter, number))
    return _edition(db, row) if row else None


_RECENT = "select * from editions where newsletter = ? order by number desc limit ?"


def recent(db: Database, newsletter: str, most: int) -> tuple[Edition, ...]:
    """The newest editions, newest first."""
    return tuple(_edition(db, row) for row in db.rows(_RECENT, (newsletter, most)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionSummary:
    """An edition without its stories."""

    id: int
    number: int
    subject: str
    state: EditionState
    created_at: datetime
    stopped_at: datetime | None
    finished_at: datetime | None


_SINCE = """
select * from editions
where newsletter = :newsletter and (created_at >= :since or finished_at >= :since)
order by number
"""


def summaries_since(db: Database, newsletter: str, since: datetime) -> tuple[EditionSummary, ...]:
    """The editions that were prepared or finished since then, in order."""
    return db.values(EditionSummary, _SINCE, {"newsletter": newsletter, "since": to_text(since)})


_UNDER_WAY = "select * from editions where newsletter = ? and state = 'prepared' order by number"


def under_way(db: Database, newsletter: str) -> tuple[EditionSummary, ...]:
    """The editions of a newsletter that are not finished, stopped or not, the oldest first."""
    return db.values(EditionSummary, _UNDER_WAY, (newsletter,))


_STORIES = "select * from stories where edition_id = ? order by position"


def _edition(db: Database, row: sqlite3.Row) -> Edition:
    return from_row(
        Edition,
        row,
        stories=db.values(Story, _STORIES, (row["id"],)),
        intro=tuple(row["intro"].split(BETWEEN_PARAGRAPHS)) if row["intro"] else (),
        stopped=row["stopped_at"] is not None,
    )


_VARIANTS = "select * from variants where edition_id = ?"


def variants(db: Database, edition_id: int) -> Mapping[str, RenderedVariant]:
    """The variants of an edition by their names, as they were rendered when it was prepared."""
    rows = db.rows(_VARIANTS, (edition_id,))
    return {row["variant"]: from_row(RenderedVariant, row) for row in rows}


_NOT_SENT = "select * from editions where newsletter = ? and state <> 'sent' order by number"


def not_sent(db: Database, newsletter: str) -> tuple[Edition, ...]:
    """Every edition whose state is not SENT, the oldest first."""
    return tuple(_edition(db, row) for row in db.rows(_NOT_SENT, (newsletter,)))


_DUE = """
select * from editions
where newsletter = :newsletter and state = 'prepared' and stopped_at is null
  and (wake_at is null or wake_at <= :now)
order by number
"""


def due(db: Database, newsletter: str, now: datetime) -> tuple[Edition, ...]:
    """The editions under way that may have something to do at `now`, the oldest first."""
    rows = db.rows(_DUE, {"newsletter": newsletter, "now": to_text(now)})
    return tuple(_edition(db, row) for row in rows)


_SNOOZE = "update editions set wake_at = :until where id = :edition"


def snooze(db: Database, edition_id: int, until: datetime | None) -> None:
    """Leave an edition alone until then; None: it is due at once."""
    db.execute(_SNOOZE, {"edition": edition_id, "until": optional_text(until)})


_STOP = "update editions set stopped_at = ? where id = ?"


def stop(db: Database, edition_id: int, now: datetime) -> None:
    """Send nothing more of the edition until somebody resumes it."""
    db.execute(_STOP, (to_text(now), edition_id))


_RESUME = """
update editions set stopped_at = null, state = 'prepared', finished_at = null, wake_at = null
where id = ?
"""


def resume(db: Database, edition_id: int) -> None:
    """Continue an edition that was stopped, or was left incomplete."""
    db.execute(_RESUME, (edition_id,))


_IMAGES = "select path, data from images where edition_id = ?"


def images(db: Database, edition_id: int) -> Mapping[str, bytes]:
    """The images embedded in an edition, by their paths in the newsletter's folder."""
    return {row["path"]: row["data"] for row in db.rows(_IMAGES, (edition_id,))}


_FINISH = """
update editions set state = :state, finished_at = :now where id = :edition and state <> 'sent'
"""


def finish(db: Database, edition_id: int, state: EditionState, now: datetime) -> None:
    """Record the state in which an edition has ended."""
    db.execute(_FINISH, {"edition": edition_id, "state": state, "now": to_text(now)})
