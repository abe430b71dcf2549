"""The articles that an edition may choose from."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from digest.model.article import Article
from digest.model.instant import from_text, to_text
from digest.storage.connection import Database

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
    last = db.row(_LAST_ARTICLE)
    rows = db.rows(
        _CANDIDATES,
        {"newsletter": newsletter, "since": to_text(since), "cutoff": to_text(cutoff)},
    )
    return Candidates(
        articles=tuple(_article(row) for row in rows), last_article_id=last[0] if last else 0
    )


def _article(row: sqlite3.Row) -> Article:
    return Article(
        id=row["id"],
        source=row["source"],
        url=row["url"],
        title=row["title"],
        summary=row["summary"],
        image_url=row["image_url"],
        author=row["author"],
        section=row["section"],
        tags=tuple(json.loads(row["tags"])),
        priority=row["priority"],
        pinned=bool(row["pinned"]),
        published_at=from_text(row["published_at"]),
        first_seen_at=from_text(row["first_seen_at"]),
        expires_at=_instant(row["expires_at"]),
        withdrawn_at=_instant(row["withdrawn_at"]),
        edited_at=_instant(row["edited_at"]),
    )


def _instant(text: str | None) -> datetime | None:
    return from_text(text) if text else None
