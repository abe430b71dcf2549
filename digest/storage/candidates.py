"""The articles that an edition may choose from."""

from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import optional_time, to_text
from digest.model.article import Article
from digest.storage.database import Database

# Three bounded ranges, each on its index: the window; what waited and has left the window since;
# what is pinned, however old. An article with a final decision is in none of them.
_CANDIDATES = """
with reachable (id) as (
    select id from articles where published_at >= :since and published_at < :cutoff
    union
    select article_id from decisions where newsletter = :newsletter and verdict = 'waiting'
    union
    select article_id from pins where newsletter = :newsletter
)
select a.id, a.source, a.url, a.title, a.summary, a.image_url, a.author, a.section, a.tags,
       a.priority, a.published_at, a.first_seen_at, a.expires_at, a.withdrawn_at, a.edited_at,
       exists (select 1 from pins p
               where p.newsletter = :newsletter and p.article_id = a.id) as pinned
from reachable join articles a on a.id = reachable.id
where a.published_at < :cutoff
  and not exists (select 1 from decisions d
                  where d.newsletter = :newsletter and d.article_id = a.id
                    and d.verdict <> 'waiting')
order by a.id
"""

_LAST_ARTICLE = "select coalesce(max(id), 0) from articles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The candidates, and the largest article id that was there when they were read."""

    articles: tuple[Article, ...]
    last_article_id: int


def candidates(db: Database, newsletter: str, *, since: datetime, cutoff: datetime) -> Candidates:
    """What was published in `[since, cutoff)`, waits, or is pinned, and has no final decision."""
    values = {"newsletter": newsletter, "since": to_text(since), "cutoff": to_text(cutoff)}
    last_article_id = db.scalar(_LAST_ARTICLE)
    return Candidates(
        articles=db.values(Article, _CANDIDATES, values), last_article_id=last_article_id
    )


# The newest article before the window, and only that one: it stands for the others.
_BEFORE = """
select a.published_at from
    (select id, published_at from articles
     where published_at < :since order by published_at desc limit 1) a
where not exists (select 1 from decisions d
                  where d.newsletter = :newsletter and d.article_id = a.id
                    and d.verdict <> 'waiting')
"""

_AFTER = "select min(published_at) from articles where published_at >= :cutoff"

_ANY = "select 1 from articles limit 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What lies around a window without candidates.

    `before` is the time of the newest article before it, if that was never decided about; `after`
    that of the first one after it; `any` whether there are articles at all.
    """

    before: datetime | None
    after: datetime | None
    any: bool


def surroundings(
    db: Database, newsletter: str, *, since: datetime, cutoff: datetime
) -> Surroundings:
    """What is before and after `[since, cutoff)`, to explain why nothing is in it."""
    values = {"newsletter": newsletter, "since": to_text(since), "cutoff": to_text(cutoff)}
    return Surroundings(
        before=optional_time(db.scalar(_BEFORE, values)),
        after=optional_time(db.scalar(_AFTER, values)),
        any=db.row(_ANY) is not None,
    )
