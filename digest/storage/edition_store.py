"""Storing an edition: whole and frozen, with its decisions and deliveries, in one transaction."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.errors import LedgerError, SlotTaken, Superseded
from digest.lib.timestamps import to_text
from digest.model.article import Decision, Verdict
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.subscriber import Segment
from digest.storage import slots
from digest.storage.database import Database
from digest.storage.editions import BETWEEN_PARAGRAPHS, last_row
from digest.storage.rows import to_row
from digest.storage.subscriptions import ACTIVE, ANSWERS, topics_text


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantAssignment:
    """Which variant the readers of a segment get; None where it has nothing for them."""

    segment: Segment
    variant: VariantKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEdition:
    """An edition with everything that is stored with it.

    `segment_fields` are what the segments in `assignments` answer. `last_article_id` is the newest
    article that selection has seen. `due_times` says when the readers of each zone are due, with ""
    for those of no zone; where it is None all are at once.
    """

    edition: Edition
    decisions: Sequence[Decision]
    last_article_id: int
    variants: Sequence[RenderedVariant] = ()
    assignments: Sequence[VariantAssignment] = ()
    segment_fields: Sequence[str] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)
    due_times: Mapping[str, datetime] | None = None


_EDITION = """
insert into editions (newsletter, slot, number, state, since, cutoff, last_article_id,
                      last_consent_id, nonce, subject, intro, created_at)
values (:newsletter, :slot, :number, 'prepared', :since, :cutoff, :last_article_id,
        (select ifnull(max(id), 0) from consents), :nonce, :subject, :intro, :now)
"""

_STORY = """
insert into stories (edition_id, position, article_id, placement, section, topic, title, deck, url,
                     image_url, author, source, published_at)
values (:edition, :position, :article_id, :placement, :section, :topic, :title, :deck, :url,
        :image_url, :author, :source, :published_at)
"""

_VARIANT = """
insert into variants (edition_id, variant, language, topics, fields, subject, html, text)
values (:edition, :variant, :language, :topics, :fields, :subject, :html, :text)
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


def next_number(db: Database, newsletter: str) -> int:
    """The number of the next edition of a newsletter; they count from 1."""
    previous = last_row(db, newsletter)
    return previous["number"] + 1 if previous else 1


def store(
    db: Database,
    new: NewEdition,
    *,
    now: datetime,
    require_unchanged: Callable[[], None] = lambda: None,
) -> int:
    """Store an edition with its decisions and deliveries: all of it, or nothing. Returns its id.

    `require_unchanged` is called in the transaction, and raises what keeps the edition from being
    stored. Raises SlotTaken, or Superseded if another edition, a decision of the editor or a reader
    of a new segment came in between; then nothing was stored.
    """
    edition = new.edition
    with db.transaction():
        previous = _require_next(db, edition)
        require_unchanged()
        values = _edition_values(edition, new.last_article_id, now)
        edition_id = _inserted_id(db.execute(_EDITION, values))
        db.connection.executemany(
            _STORY, (to_row(story) | {"edition": edition_id} for story in edition.stories)
        )
        db.connection.executemany(_VARIANT, [_variant_row(edition_id, v) for v in new.variants])
        _decide(db, edition, edition_id, new.decisions, to_text(now))
        if db.row(_WITHDRAWN, (edition_id,)):
            raise Superseded("a story was withdrawn meanwhile")
        db.connection.executemany(
            _IMAGE, ((edition_id, path, data) for path, data in new.images.items())
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
        _queue_deliveries(db, edition_id, new, now)
        slots.give_edition(db, edition.newsletter, edition.slot, now)
    return edition_id


_SAME_SLOT = "select number from editions where newsletter = ? and slot = ?"


def _require_next(db: Database, edition: Edition) -> sqlite3.Row | None:
    """The edition before this one. Raises SlotTaken, or Superseded where it is another by now."""
    number = db.scalar(_SAME_SLOT, (edition.newsletter, edition.slot))
    if number is not None:
        raise SlotTaken(
            f"the slot {edition.slot} of {edition.newsletter} already has No. {number}",
            hint="A slot is a local time and has one edition; try again a minute later.",
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


def _variant_row(edition_id: int, variant: RenderedVariant) -> dict[str, object]:
    key = variant.key
    return to_row(variant) | to_row(key) | {"edition": edition_id, "variant": key.name}


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
        raise Superseded("an article was decided by another process meanwhile")


def _inserted_id(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:
        raise LedgerError("SQLite gave the new edition no id")
    return cursor.lastrowid


_SEGMENT_VARIANTS = """
create temporary table if not exists segment_variants (
    language text, topics text not null, answers text not null, variant text,
    unique (language, topics, answers, variant)
)
"""

_ASSIGN = "insert into segment_variants (language, topics, answers, variant) values (?, ?, ?, ?)"

# One delivery for every active reader, none for a suppressed address. `:due_times` says when the
# readers of each zone are due, '' standing for those without one; where it is null, everybody is at
# once. The cross joins keep SQLite from walking through all readers once for every segment.
_DELIVERIES = f"""
with due_times (zone, due_at) as materialized (select key, value from json_each(:due_times))
insert into deliveries (edition_id, subscriber_id, variant, state, reply, finished_at, due_at)
select :edition, s.id, v.variant, iif(v.variant is null, 'withheld', 'queued'),
       iif(v.variant is null, 'nothing in this edition for the reader''s topics', null),
       iif(v.variant is null, :now, null),
       iif(:due_times is null or v.variant is null, null, coalesce(
           (select due_at from due_times where zone = s.timezone),
           (select due_at from due_times where zone = '')))
from subscriptions n
cross join subscribers s on s.id = n.subscriber_id
cross join segment_variants v
  on v.language is s.language and v.topics = n.topics and v.answers = {ANSWERS}
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
order by s.id
"""  # noqa: S608 (a constant)

_ID_RUN = """
update editions set first_delivery_id = :first, last_delivery_id = :last where id = :edition
"""

_COUNT_ACTIVE = f"select count(*) {ACTIVE}"


def _queue_deliveries(db: Database, edition_id: int, new: NewEdition, now: datetime) -> None:
    """Queue the edition for every active reader. Raises Superseded for one of no known segment."""
    due_times = None
    if new.due_times is not None:
        due_times = json.dumps({zone: to_text(at) for zone, at in new.due_times.items()})
    db.execute(_SEGMENT_VARIANTS)
    db.execute("delete from segment_variants")
    db.connection.executemany(_ASSIGN, map(_assignment_row, new.assignments))
    db.execute(
        _DELIVERIES,
        {
            "edition": edition_id,
            "newsletter": new.edition.newsletter,
            "segment_fields": json.dumps(new.segment_fields),
            "due_times": due_times,
            "now": to_text(now),
        },
    )
    # A cursor does not count the rows of an insert that begins with WITH.
    inserted, last = db.execute("select changes(), last_insert_rowid()").fetchone()
    if inserted != db.scalar(_COUNT_ACTIVE, {"newsletter": new.edition.newsletter}):
        raise Superseded("a reader with another language, other topics or fields joined meanwhile")
    # Stored at once, so their ids are one run: walking along an edition needs no index.
    db.execute(_ID_RUN, {"edition": edition_id, "first": last - inserted + 1, "last": last})


def _assignment_row(assignment: VariantAssignment) -> tuple[str | None, ...]:
    segment, variant = assignment.segment, assignment.variant
    return (
        segment.language,
        topics_text(segment.topics),
        json.dumps(segment.answers),
        variant.name if variant else None,
    )
