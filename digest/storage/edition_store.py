"""Freezing: a drafted edition stored once, whole, in one transaction.

Queueing: one delivery for every active reader, when an edition is frozen.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.errors import LedgerError, SlotTaken, Superseded
from digest.lib.timestamps import to_text
from digest.model.article import Decision, Verdict
from digest.model.edition import Edition, RenderedVariant, Story, VariantKey
from digest.storage import slots
from digest.storage.database import Database
from digest.storage.editions import BETWEEN_PARAGRAPHS, last_row
from digest.storage.subscriptions import ANSWERS, as_parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantAssignment:
    """How the readers with these wishes, as they are stored, are served; None: nothing for them.

    `answers` are to the questions that `queue_deliveries` is told.
    """

    language: str | None
    topics: tuple[str, ...]
    variant: VariantKey | None
    answers: tuple[str, ...] = ()


# One delivery for every active reader, none for a suppressed address. `:hours` says when readers of
# each zone are due, '' standing for those without one; where it is null, everybody is at once.
# `:audience` says which variant readers with this language, these topics and these answers get.
# Topics and answers are one column, two JSON lists in a row, because the index that SQLite makes
# for the join has one.
_DELIVERIES = f"""
with audience (language, wishes, variant) as materialized (
    select m.value ->> 'language', (m.value ->> 'topics') ||
           (select json_group_array(a.value) from json_each(m.value -> 'answers') a),
           m.value ->> 'variant'
    from json_each(:audience) m
), hours (zone, due_at) as materialized (select key, value from json_each(:hours))
insert into deliveries (edition_id, subscriber_id, variant, state, reply, finished_at, due_at)
select :edition, s.id, m.variant, iif(m.variant is null, 'withheld', 'queued'),
       iif(m.variant is null, 'nothing in this edition for the reader''s topics', null),
       iif(m.variant is null, :now, null),
       iif(:hours is null or m.variant is null, null, coalesce(
           (select due_at from hours where zone = s.timezone),
           (select due_at from hours where zone = '')))
from subscriptions n
join subscribers s on s.id = n.subscriber_id
join audience m on m.language is s.language and m.wishes = n.topics || {ANSWERS}
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
order by s.id
"""  # noqa: S608 (a constant)

_ID_RUN = """
update editions set first_delivery_id = :first, last_delivery_id = :last where id = :edition
"""

_ACTIVE = """
select count(*) from subscriptions n join subscribers s on s.id = n.subscriber_id
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
"""


def queue_deliveries(
    db: Database,
    edition_id: int,
    audience: Sequence[VariantAssignment],
    *,
    newsletter: str,
    questions: Sequence[str],
    hours: Mapping[str, datetime] | None,
    now: datetime,
) -> None:
    """Queue an edition for every active reader of a newsletter, in the caller's transaction.

    `questions` are those that the `answers` in `audience` belong to. `hours` says when the readers
    of each zone are due, with "" for those of no zone; where it is None all are at once.
    Raises Superseded for a reader whose wishes `audience` does not know.
    """
    mapping = [
        {
            "language": entry.language,
            "topics": json.dumps(entry.topics, ensure_ascii=False),
            "answers": entry.answers,
            "variant": entry.variant.name if entry.variant else None,
        }
        for entry in audience
    ]
    db.execute(
        _DELIVERIES,
        {
            "edition": edition_id,
            "newsletter": newsletter,
            "audience": json.dumps(mapping, ensure_ascii=False),
            "questions": as_parameter(questions),
            "hours": _as_json(hours),
            "now": to_text(now),
        },
    )
    # A cursor does not count the rows of an insert that begins with WITH.
    inserted, last = db.connection.execute("select changes(), last_insert_rowid()").fetchone()
    active = db.connection.execute(_ACTIVE, {"newsletter": newsletter}).fetchone()[0]
    if inserted != active:
        raise Superseded("a reader with other wishes joined meanwhile")
    # Stored at once, so their ids are one run: walking along an edition needs no index.
    db.execute(_ID_RUN, {"edition": edition_id, "first": last - inserted + 1, "last": last})


def _as_json(hours: Mapping[str, datetime] | None) -> str | None:
    if hours is None:
        return None
    return json.dumps({zone: to_text(hour) for zone, hour in hours.items()})


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


def always_valid() -> None:
    """Nothing else has to be as it was."""


def store(
    db: Database,
    edition: Edition,
    *,
    decisions: Sequence[Decision],
    variants: Sequence[RenderedVariant],
    audience: Sequence[VariantAssignment],
    questions: Sequence[str] = (),
    images: Mapping[str, bytes],
    last_article_id: int,
    now: datetime,
    hours: Mapping[str, datetime] | None = None,
    still: Callable[[], None] = always_valid,
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
        queue_deliveries(
            db,
            edition_id,
            audience,
            newsletter=edition.newsletter,
            questions=questions,
            hours=hours,
            now=now,
        )
        slots.give_edition(db, edition.newsletter, edition.slot, now)
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
