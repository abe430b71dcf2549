"""What `digest explain` asks of the ledger: one article, or one reader of one edition."""

import json
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import from_text
from digest.model.article import Article, Decision, Verdict
from digest.model.delivery import DeliveryState
from digest.model.edition import Placement
from digest.model.subscriber import Action, Consent
from digest.storage.articles import from_row
from digest.storage.database import Database

_TITLED = """
select * from articles a
where not exists (
    select 1 from json_each(:words) w where a.title not like w.value escape '\\')
order by published_at desc, id desc
limit :most
"""


def with_words(db: Database, words: str, *, most: int) -> tuple[Article, ...]:
    """The newest articles that have each of these words in their titles, in whatever order."""
    patterns = [f"%{_literally(word)}%" for word in words.split()]
    if not patterns:
        return ()
    rows = db.rows(_TITLED, {"words": json.dumps(patterns, ensure_ascii=False), "most": most})
    return tuple(from_row(row) for row in rows)


def _literally(word: str) -> str:
    """A word in which `like` finds no wildcard."""
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_AT = """
select * from articles where canonical_url = :canonical or url = :url
order by published_at desc, id desc
"""


def at_address(db: Database, url: str, canonical: str) -> tuple[Article, ...]:
    """The articles with this link; several sources may tell of the same page."""
    rows = db.rows(_AT, {"url": url, "canonical": canonical})
    return tuple(from_row(row) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPlace:
    """Where an article stands in an edition, under which title."""

    number: int
    slot: str
    position: int
    placement: Placement
    section: str | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterDecision:
    """What a newsletter has decided on an article, and where that put it."""

    decision: Decision | None = None
    decided_at: datetime | None = None
    place: StoryPlace | None = None
    pinned: bool = False


_DECIDED = """
select d.verdict, d.reason, d.decided_at, e.number, e.slot,
       s.position, s.placement, s.section, s.title,
       exists (select 1 from pins p
               where p.newsletter = :newsletter and p.article_id = :id) as pinned
from (select 1)
left join decisions d on d.newsletter = :newsletter and d.article_id = :id
left join stories s on s.edition_id = d.edition_id and s.article_id = d.article_id
left join editions e on e.id = s.edition_id
"""


def newsletter_decision(db: Database, newsletter: str, article_id: int) -> NewsletterDecision:
    """What a newsletter has decided on an article; nothing yet is an answer, too."""
    row = db.row(_DECIDED, {"newsletter": newsletter, "id": article_id})
    if row is None or row["verdict"] is None:
        return NewsletterDecision(pinned=bool(row and row["pinned"]))
    return NewsletterDecision(
        decision=Decision(
            article_id=article_id, verdict=Verdict(row["verdict"]), reason=row["reason"]
        ),
        decided_at=from_text(row["decided_at"]),
        place=StoryPlace(
            number=row["number"],
            slot=row["slot"],
            position=row["position"],
            placement=Placement(row["placement"]),
            section=row["section"],
            title=row["title"],
        )
        if row["number"]
        else None,
        pinned=bool(row["pinned"]),
    )


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
    """An edition as one reader stands to it.

    `delivery` is None where there is none, or none any more since `pruned_at`. `standing` is the
    last receipt that decided whether that person was a reader when it was prepared.
    """

    number: int
    slot: str
    subject: str
    prepared_at: datetime
    pruned: bool
    delivery: DeliveryDetail | None
    standing: Consent | None


_EDITION = """
select e.id, e.number, e.slot, e.subject, e.created_at, e.last_consent_id,
       exists (select 1 from delivery_totals t where t.edition_id = e.id) as pruned,
       d.state, ifnull(d.reply, '') as reply, d.attempts, d.due_at, d.next_attempt_at,
       d.finished_at
from editions e
left join deliveries d on d.edition_id = e.id and d.subscriber_id = :subscriber
where e.newsletter = :newsletter and (:number is null or e.number = :number)
order by e.number desc
limit 1
"""

_STANDING = """
select * from consents
where subscriber_id = :subscriber and newsletter = :newsletter and action <> 'changed'
  and id <= :last
order by id desc
limit 1
"""


def reader_edition(
    db: Database, newsletter: str, subscriber_id: int, *, number: int | None
) -> ReaderEdition | None:
    """How a person stands to the edition of this number, or to the newest one."""
    values = {"newsletter": newsletter, "subscriber": subscriber_id, "number": number}
    row = db.row(_EDITION, values)
    if row is None:
        return None
    last = db.row(_STANDING, values | {"last": row["last_consent_id"]})
    return ReaderEdition(
        number=row["number"],
        slot=row["slot"],
        subject=row["subject"],
        prepared_at=from_text(row["created_at"]),
        pruned=bool(row["pruned"]),
        delivery=DeliveryDetail(
            state=DeliveryState(row["state"]),
            reply=row["reply"],
            attempts=row["attempts"],
            due_at=_instant(row["due_at"]),
            next_attempt_at=_instant(row["next_attempt_at"]),
            finished_at=_instant(row["finished_at"]),
        )
        if row["state"]
        else None,
        standing=Consent(
            subscriber_id=subscriber_id,
            newsletter=newsletter,
            action=Action(last["action"]),
            wording=last["wording"],
            origin=last["origin"],
            at=from_text(last["at"]),
        )
        if last
        else None,
    )


def _instant(text: str | None) -> datetime | None:
    return from_text(text) if text else None
