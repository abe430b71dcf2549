"""What the editor puts right about an article that is stored already."""

from collections.abc import Set
from datetime import datetime

from digest.lib.timestamps import to_text
from digest.model.article import Article, NewArticle
from digest.storage.article_upsert import keep, values_of, write_edit
from digest.storage.articles import existing, find, from_row
from digest.storage.database import Database

# The one that lives by its link, then the source's own, then whichever came first.
_AT_ADDRESS = """
select * from articles
where canonical_url = :url
order by identity = 'url:' || :url desc, source = :source desc, id
limit 1
"""


def at_address(db: Database, canonical_url: str, *, source: str) -> Article | None:
    """The article with this link; of several, the one of `source` rather than another's."""
    row = db.row(_AT_ADDRESS, {"url": canonical_url, "source": source})
    return from_row(row) if row else None


_BY_IDENTITY = "select * from articles where identity = ?"


def add(db: Database, article: NewArticle, now: datetime) -> Article:
    """Keep one article that is not there yet, and return it as it is stored."""
    keep(db, [article], now)
    return from_row(db.rows(_BY_IDENTITY, (article.identity,))[0])


_STORED = """
select a.*, coalesce(c.content, '') as content
from articles a left join contents c on c.article_id = a.id
where a.id = ?
"""


def correct(
    db: Database, article_id: int, article: NewArticle, said: Set[str], now: datetime
) -> bool:
    """Take over the values of `article` that `said` names; all others stay as they are stored.

    Returns whether that changes anything. An article always keeps a time of publication. Raises
    LedgerError if there is no such article.
    """
    with db.transaction():
        existing(db, article_id)
        stored = dict(db.rows(_STORED, (article_id,))[0])
        told = {name: value for name, value in values_of(article).items() if name in said}
        if told.get("published_at", "") is None:
            del told["published_at"]
        if all(stored[name] == value for name, value in told.items()):
            return False
        write_edit(db, stored | told | {"now": to_text(now)})
    return True


_RESTORE = "update articles set withdrawn_at = null where id = ?"

_RECONSIDER = """
update decisions set verdict = 'waiting', reason = 'restored by the editor', decided_at = ?
where article_id = ? and verdict = 'withdrawn'
"""


def restore(db: Database, article_id: int, now: datetime) -> tuple[Article, bool]:
    """Take back a withdrawal: the article is a candidate again wherever that kept it out.

    Returns the article, and whether it was withdrawn. Raises LedgerError if there is none.
    """
    with db.transaction():
        article = existing(db, article_id)
        if article.withdrawn_at is None:
            return article, False
        db.execute(_RESTORE, (article_id,))
        db.execute(_RECONSIDER, (to_text(now), article_id))
    return find(db, article_id) or article, True
