"""Editions: read as they were stored, and how far each of them is."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.lib.timestamps import from_text, optional_text, optional_time, to_text
from digest.model.edition import (
    Edition,
    EditionState,
    Placement,
    RenderedVariant,
    Story,
    VariantKey,
)
from digest.storage.database import Database

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
    rows = db.rows(_SINCE, {"newsletter": newsletter, "since": to_text(since)})
    return tuple(_summary(row) for row in rows)


_UNDER_WAY = "select * from editions where newsletter = ? and state = 'prepared' order by number"


def under_way(db: Database, newsletter: str) -> tuple[EditionSummary, ...]:
    """The editions of a newsletter that are not finished, stopped or not, the oldest first."""
    return tuple(_summary(row) for row in db.rows(_UNDER_WAY, (newsletter,)))


def _summary(row: sqlite3.Row) -> EditionSummary:
    return EditionSummary(
        id=row["id"],
        number=row["number"],
        subject=row["subject"],
        state=EditionState(row["state"]),
        created_at=from_text(row["created_at"]),
        stopped_at=optional_time(row["stopped_at"]),
        finished_at=optional_time(row["finished_at"]),
    )


_STORIES = "select * from stories where edition_id = ? order by position"


def _edition(db: Database, row: sqlite3.Row) -> Edition:
    return Edition(
        id=row["id"],
        newsletter=row["newsletter"],
        slot=row["slot"],
        number=row["number"],
        state=EditionState(row["state"]),
        stopped=row["stopped_at"] is not None,
        since=from_text(row["since"]),
        cutoff=from_text(row["cutoff"]),
        nonce=row["nonce"],
        subject=row["subject"],
        stories=tuple(_story(story) for story in db.rows(_STORIES, (row["id"],))),
        intro=tuple(row["intro"].split(BETWEEN_PARAGRAPHS)) if row["intro"] else (),
    )


def _story(row: sqlite3.Row) -> Story:
    return Story(
        article_id=row["article_id"],
        position=row["position"],
        placement=Placement(row["placement"]),
        section=row["section"],
        topic=row["topic"],
        title=row["title"],
        deck=row["deck"],
        url=row["url"],
        image_url=row["image_url"],
        author=row["author"],
        source=row["source"],
        published_at=from_text(row["published_at"]),
    )


_VARIANTS = "select * from variants where edition_id = ?"


def variants(db: Database, edition_id: int) -> Mapping[str, RenderedVariant]:
    """The variants of an edition by their names, as they were rendered when it was prepared."""
    return {
        row["variant"]: RenderedVariant(
            key=VariantKey(
                language=row["language"],
                topics=tuple(json.loads(row["topics"])),
                fields=tuple((asked, answer) for asked, answer in json.loads(row["fields"])),
            ),
            subject=row["subject"],
            html=row["html"],
            text=row["text"],
        )
        for row in db.rows(_VARIANTS, (edition_id,))
    }


_OPEN = "select * from editions where newsletter = ? and state <> 'sent' order by number"


def incomplete(db: Database, newsletter: str) -> tuple[Edition, ...]:
    """Every edition that is not confirmed for each of its readers, the oldest first."""
    return tuple(_edition(db, row) for row in db.rows(_OPEN, (newsletter,)))


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
