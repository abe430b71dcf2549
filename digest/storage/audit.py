"""Audit: questions to the ledger whose answers must be empty."""

from dataclasses import dataclass

from digest.storage.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something in the ledger that cannot be: a rule, and the ids that break it."""

    rule: str
    ids: tuple[str, ...]


_CHOSEN_WITHOUT_STORY = """
select d.newsletter || ' article ' || d.article_id
from decisions d
where d.verdict = 'chosen' and not exists (
    select 1 from stories s where s.edition_id = d.edition_id and s.article_id = d.article_id)
limit :most
"""

_STORY_WITHOUT_CHOICE = """
select e.newsletter || ' No. ' || e.number || ' article ' || s.article_id
from stories s join editions e on e.id = s.edition_id
where not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = s.article_id
      and d.verdict = 'chosen' and d.edition_id = e.id)
limit :most
"""

# Everything that an edition could have seen has a fate.
_ARTICLE_WITHOUT_FATE = """
select e.newsletter || ' article ' || a.id
from (select newsletter, max(cutoff) as cutoff, max(last_article_id) as last_article_id
      from editions group by newsletter) e
join articles a on a.published_at < e.cutoff and a.id <= e.last_article_id
where a.published_at < (select x.cutoff from editions x
                        where x.newsletter = e.newsletter order by number desc limit 1)
  and not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = a.id)
limit :most
"""

_NUMBERS_WITH_GAPS = """
select newsletter from editions group by newsletter having count(*) <> max(number) limit :most
"""

_DELIVERIES_MISSING = """
select e.newsletter || ' No. ' || e.number from editions e
where e.first_delivery_id is null or (
    select count(*) from deliveries d
    where d.id between e.first_delivery_id and e.last_delivery_id and d.edition_id = e.id
  ) <> e.last_delivery_id - e.first_delivery_id + 1
limit :most
"""

_DELIVERIES_ASTRAY = """
select 'delivery ' || d.id from deliveries d join editions e on e.id = d.edition_id
where d.id not between e.first_delivery_id and e.last_delivery_id
limit :most
"""

_SENT_TOO_EARLY = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where (e.state = 'sent' and d.state in ('queued', 'sending', 'deferred', 'unknown'))
   or (e.state = 'incomplete' and d.state in ('queued', 'sending', 'deferred'))
limit :most
"""

_ENDED_WITHOUT_A_TIME = """
select 'delivery ' || id from deliveries
where (state in ('sent', 'rejected', 'unknown', 'withheld')) <> (finished_at is not null)
limit :most
"""

_SENT_UNTRIED = """
select 'delivery ' || id from deliveries where state = 'sent' and attempts < 1 limit :most
"""

_RULES = (
    ("a chosen article stands in its edition", _CHOSEN_WITHOUT_STORY),
    ("a story was chosen for its edition, and for no other", _STORY_WITHOUT_CHOICE),
    ("every article has one fate for every newsletter", _ARTICLE_WITHOUT_FATE),
    ("editions are numbered without gaps", _NUMBERS_WITH_GAPS),
    ("every edition has the deliveries it was stored with", _DELIVERIES_MISSING),
    ("no delivery belongs to another run of ids", _DELIVERIES_ASTRAY),
    ("an edition is finished when its deliveries are", _SENT_TOO_EARLY),
    ("what has ended has a time, and nothing else has", _ENDED_WITHOUT_A_TIME),
    ("what was sent was attempted", _SENT_UNTRIED),
)


def breaches(db: Database, *, most: int = 20) -> tuple[Breach, ...]:
    """Every rule that is broken, with the first `most` ids of each."""
    found = []
    for rule, sql in _RULES:
        ids = tuple(str(row[0]) for row in db.rows(sql, {"most": most}))
        if ids:
            found.append(Breach(rule=rule, ids=ids))
    dangling = db.rows("pragma foreign_key_check")
    if dangling:
        ids = tuple(f"{row[0]} row {row[1]}" for row in dangling[:most])
        found.append(Breach(rule="nothing refers to what is not there", ids=ids))
    return tuple(found)


_FACTS = """
select (select count(*) from editions), (select count(*) from deliveries),
       (select count(*) from decisions), (select count(*) from deliveries where state = 'sending')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much was looked at. `claimed` deliveries are being sent, or were when a process died."""

    editions: int
    deliveries: int
    decisions: int
    claimed: int


def extent(db: Database) -> Extent:
    """How much there is to look at."""
    editions, deliveries, decisions, claimed = db.connection.execute(_FACTS).fetchone()
    return Extent(editions=editions, deliveries=deliveries, decisions=decisions, claimed=claimed)
