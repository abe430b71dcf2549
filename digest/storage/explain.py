"""Queries of `digest explain`: articles by title or link, and one reader of one edition."""

import json
from dataclasses import dataclass
from datetime import datetime

from digest.model.article import Article
from digest.model.delivery import DeliveryState
from digest.model.subscriber import Consent
from digest.storage.articles import escape_like
from digest.storage.database import Database
from digest.storage.rows import from_row

_TITLED = """
select * from articles a
where not exists (
    select 1 from json_each(:words) w where a.title not like w.value escape '\\')
order by published_at desc, id desc
limit :most
"""


def find_by_words(db: Database, words: str, *, most: int) -> tuple[Article, ...]:
    """The newest articles that have all of these words in their titles, in any order."""
    patterns = [f"%{escape_like(word)}%" for word in words.split()]
    if not patterns:
        return ()
    values = {"words": json.dumps(patterns, ensure_ascii=False), "most": most}
    return db.values(Article, _TITLED, values)


_AT = """
select * from articles where canonical_url = :canonical or url = :url
order by published_at desc, id desc
"""


def find_by_link(db: Database, url: str, canonical: str) -> tuple[Article, ...]:
    """The articles with this link; several sources may link to the same page."""
    return db.values(Article, _AT, {"url": url, "canonical": canonical})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDetail:
    """A delivery in full: one edition for one reader."""

    state: DeliveryState
    reply: str
    attempts: int
    due_at: datetime | None
    next_attempt_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderEdition:
    """An edition and one reader of it.

    `delivery` is None where there is none, or none any more because it was `pruned`. `consent` is
    the last receipt that decided whether that person was a reader when it was prepared.
    """

    number: int
    slot: str
    subject: str
    prepared_at: datetime
    pruned: bool
    delivery: DeliveryDetail | None
    consent: Consent | None


_EDITION = """
select e.id, e.number, e.slot, e.subject, e.created_at as prepared_at, e.last_consent_id,
       exists (select 1 from delivery_totals t where t.edition_id = e.id) as pruned,
       d.state, ifnull(d.reply, '') as reply, d.attempts, d.due_at, d.next_attempt_at,
       d.finished_at
from editions e
left join deliveries d on d.edition_id = e.id and d.subscriber_id = :subscriber
where e.newsletter = :newsletter and (:number is null or e.number = :number)
order by e.number desc
limit 1
"""

_LAST_CONSENT = """
select * from consents
where subscriber_id = :subscriber and newsletter = :newsletter and action <> 'changed'
  and id <= :last
order by id desc
limit 1
"""


def reader_edition(
    db: Database, newsletter: str, subscriber_id: int, *, number: int | None
) -> ReaderEdition | None:
    """The edition of this number, or the newest one, and a person's delivery of it."""
    values = {"newsletter": newsletter, "subscriber": subscriber_id, "number": number}
    row = db.row(_EDITION, values)
    if row is None:
        return None
    return from_row(
        ReaderEdition,
        row,
        delivery=from_row(DeliveryDetail, row) if row["state"] else None,
        consent=db.value(Consent, _LAST_CONSENT, values | {"last": row["last_consent_id"]}),
    )
