"""Freezing: a drafted edition stored once, whole, in one transaction."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from digest.errors import LedgerError, SlotTaken, Superseded
from digest.lib.timestamps import to_text
from digest.model.article import Decision, Verdict
from digest.model.edition import Edition, RenderedVariant, Story
from digest.storage import queueing
from digest.storage.database import Database
from digest.storage.editions import BETWEEN_PARAGRAPHS, last_row
from digest.storage.queueing import Audience

_EDITION = """
insert into editions (newsletter, slot, number, state, since, cutoff, last_article_id,
                      last_consent_id, nonce, subject, intro, created_at)
values (:newsletter, :slot, :number, 'prepared', :since, :cutoff, :last_article_id,
        (select ifnull(max(id), 0) from consents), :nonce, :subject, :intro, :now)
"""

_STORY = """
insert into stories (edition_id, position, article_id, placement, section, topic, title, deck, url,
                     image_url, author, source, published_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_VARIANT = """
insert into variants (edition_id, variant, language, topics, fields, subject, html, text)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""

_DECISION = """
insert into decisions (newsletter, article_id, verdict, reason, edition_id, decided_at)
values (?, ?, ?, ?, ?, ?)
on conflict (newsletter, article_id) do update
set verdict = excluded.verdict, reason = excluded.reason, edition_id = excluded.edition_id,
    decided_at = excluded.decided_at
where decisions.verdict = 'waiting'
"""

# What left the window without ever having been a candidate: published between the two windows,
# stored late, or given an earlier time by its source. Bounded by the previous edition, so that an
# old archive is walked through only once.
_NEVER_CANDIDATES = """
insert into decisions (newsletter, article_id, verdict, reason, decided_at)
select :newsletter, a.id, 'too old', 'published before ' || :since, :now
from articles a
where a.published_at < :since and a.id <= :last_article_id
  and (a.published_at >= :previous_since or a.id > :previous_last
       or a.edited_at >= :previous_created_at)
  and not exists (select 1 from decisions d
                  where d.newsletter = :newsletter and d.article_id = a.id)
"""

_WITHDRAWN = """
select 1 from stories s join articles a on a.id = s.article_id
where s.edition_id = ? and a.withdrawn_at is not null
"""

_IMAGE = "insert into images (edition_id, path, data) values (?, ?, ?)"

_UNPIN_CHOSEN = """
delete from pins where newsletter = :newsletter and article_id in
    (select article_id from stories where edition_id = :edition)
"""


_SLOT_HAS_IT = """
update slots set state = 'prepared', edition_id = :edition, reason = '', made_up_in = null,
    next_try_at = null, since = :now
where newsletter = :newsletter and slot = :slot
"""


def no_objection() -> None:
    """Nothing else has to be as it was."""


def store(
    db: Database,
    edition: Edition,
    *,
    decisions: Sequence[Decision],
    variants: Sequence[RenderedVariant],
    audience: Sequence[Audience],
    questions: Sequence[str] = (),
    images: Mapping[str, bytes],
    last_article_id: int,
    now: datetime,
    hours: Mapping[str, datetime] | None = None,
    still: Callable[[], None] = no_objection,
) -> int:
    """Freeze an edition with its decisions and deliveries: all of it, or nothing. Returns its id.

    `questions` are what the site's templates ask about a reader. `hours` says when the readers of
    each zone are due, with "" for those of no zone; by default all are at once.
    `still` is called in the transaction, and raises what keeps the edition from being stored.
    Raises SlotTaken, or Superseded if another edition, a decision of the editor or a reader with
    new wishes came in between; then nothing was stored.
    """
    with db.transaction():
        previous = _check_still_next(db, edition)
        still()
        values = _edition_values(edition, last_article_id, now)
        edition_id = _inserted_id(db.execute(_EDITION, values))
        db.connection.executemany(_STORY, [_story_row(edition_id, s) for s in edition.stories])
        db.connection.executemany(_VARIANT, [_variant_row(edition_id, v) for v in variants])
        _decide(db, edition, edition_id, decisions, to_text(now))
        if db.row(_WITHDRAWN, (edition_id,)):
            raise Superseded("a story was withdrawn meanwhile")
        db.connection.executemany(
            _IMAGE, ((edition_id, path, data) for path, data in images.items())
        )
        db.execute(
            _NEVER_CANDIDATES,
            values
            | {
                "previous_since": previous["since"] if previous else "",
                "previous_last": previous["last_article_id"] if previous else 0,
                "previous_created_at": previous["created_at"] if previous else "",
            },
        )
        db.execute(_UNPIN_CHOSEN, {"newsletter": edition.newsletter, "edition": edition_id})
        queueing.queue(
            db,
            edition_id,
            audience,
            newsletter=edition.newsletter,
            questions=questions,
            hours=hours,
            now=now,
        )
        db.execute(_SLOT_HAS_IT, values | {"edition": edition_id})
    return edition_id


_SAME_SLOT = "select number from editions where newsletter = ? and slot = ?"


def _check_still_next(db: Database, edition: Edition) -> sqlite3.Row | None:
    taken = db.row(_SAME_SLOT, (edition.newsletter, edition.slot))
    if taken:
        raise SlotTaken(
            f"the slot {edition.slot} of {edition.newsletter} already has No. {taken['number']}",
            hint="A slot is a local time, and has one edition; a minute later there is another.",
        )
    previous = last_row(db, edition.newsletter)
    if edition.number != (previous["number"] if previous else 0) + 1:
        raise Superseded(f"another edition of {edition.newsletter} was stored meanwhile")
    return previous


def _edition_values(edition: Edition, last_article_id: int, now: datetime) -> dict[str, object]:
    return {
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "number": edition.number,
        "since": to_text(edition.since),
        "cutoff": to_text(edition.cutoff),
        "last_article_id": last_article_id,
        "nonce": edition.nonce,
        "subject": edition.subject,
        "intro": BETWEEN_PARAGRAPHS.join(edition.intro),
        "now": to_text(now),
    }


def _story_row(edition_id: int, story: Story) -> tuple[object, ...]:
    return (
        edition_id,
        story.position,
        story.article_id,
        story.placement,
        story.section,
        story.topic,
        story.title,
        story.deck,
        story.url,
        story.image_url,
        story.author,
        story.source,
        to_text(story.published_at),
    )


def _variant_row(edition_id: int, variant: RenderedVariant) -> tuple[object, ...]:
    key = variant.key
    return (
        edition_id,
        key.name,
        key.language,
        json.dumps(key.topics, ensure_ascii=False),
        json.dumps(key.fields, ensure_ascii=False),
        variant.subject,
        variant.html,
        variant.text,
    )


def _decide(
    db: Database, edition: Edition, edition_id: int, decisions: Sequence[Decision], now: str
) -> None:
    cursor = db.connection.executemany(
        _DECISION,
        (
            (
                edition.newsletter,
                decision.article_id,
                decision.verdict,
                decision.reason,
                edition_id if decision.verdict is Verdict.CHOSEN else None,
                now,
            )
            for decision in decisions
        ),
    )
    if decisions and cursor.rowcount != len(decisions):
        raise Superseded("the fate of an article was decided meanwhile")


def _inserted_id(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise LedgerError("SQLite gave the new edition no id")
    return cursor.lastrowid
