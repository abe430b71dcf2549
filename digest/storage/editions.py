"""Editions: read back as they were frozen, and how far each of them is."""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from digest.lib.timestamps import from_text, to_text
from digest.model.edition import (
    Edition,
    EditionState,
    Placement,
    RenderedVariant,
    Story,
    VariantKey,
)
from digest.storage.database import Database

#: What parts the paragraphs of an intro; no paragraph holds a line break.
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
    """Every edition that somebody does not surely have, the oldest first."""
    return tuple(_edition(db, row) for row in db.rows(_OPEN, (newsletter,)))


_STOP = "update editions set stopped_at = ? where id = ?"


def stop(db: Database, edition_id: int, now: datetime) -> None:
    """Let nothing more of the edition leave."""
    db.execute(_STOP, (to_text(now), edition_id))


_GO_ON = """
update editions set stopped_at = null, state = 'prepared', finished_at = null, wake_at = null
where id = ?
"""


def go_on(db: Database, edition_id: int) -> None:
    """Take up an edition again that was stopped, or was left incomplete."""
    db.execute(_GO_ON, (edition_id,))


_IMAGES = "select path, data from images where edition_id = ?"


def images(db: Database, edition_id: int) -> Mapping[str, bytes]:
    """The images that travel along with an edition, by their paths in the newsletter's folder."""
    return {row["path"]: row["data"] for row in db.rows(_IMAGES, (edition_id,))}


_FINISH = """
update editions set state = :state, finished_at = :now where id = :edition and state <> 'sent'
"""


def finish(db: Database, edition_id: int, state: EditionState, now: datetime) -> None:
    """Write down how far the edition came."""
    db.execute(_FINISH, {"edition": edition_id, "state": state, "now": to_text(now)})
