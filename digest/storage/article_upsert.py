"""Upsert of articles: each is stored once, and followed through its later edits."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from digest.lib.timestamps import optional_text, to_text
from digest.model.article import NewArticle
from digest.model.article_identity import StoredIdentity, same_article
from digest.storage.database import Database

#: How many articles are compared with what is stored by one query; bodies come with them.
_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertResult:
    """What `upsert` did, in articles."""

    new: int = 0
    edited: int = 0
    unchanged: int = 0


def upsert(db: Database, articles: Sequence[NewArticle], now: datetime) -> UpsertResult:
    """Keep what a source told: insert what is new, follow what was edited, once, or not at all.

    An article is known by its identity; failing that, as another article of the same source with
    the same link, so that a feed that changes its GUIDs repeats nothing. If an article stands in
    `articles` twice, the first one counts. What another source brought first stays as it is there.
    An edit without a date leaves the date alone.
    """
    with db.transaction():
        next_id = db.scalar("select coalesce(max(id), 0) + 1 from articles")
        upserting = _Upsert(next_id=next_id, now=to_text(now))
        for start in range(0, len(articles), _BATCH):
            batch = articles[start : start + _BATCH]
            upserting.load(_stored(db, batch))
            for article in batch:
                upserting.add(article)
            upserting.write(db)
    return upserting.result


#: Articles with all that is kept of them, to be compared with what is read.
WITH_CONTENT: Final = """
select a.*, coalesce(c.content, '') as content
from articles a left join contents c on c.article_id = a.id
"""

# Two indexes, one after the other: an `or` of both conditions would read the whole table.
_STORED = f"""
{WITH_CONTENT}
where a.id in (
    select id from articles where identity in (select value from json_each(:identities))
    union
    select id from articles where canonical_url in (select value from json_each(:urls))
)
order by a.id
"""  # noqa: S608 (a constant)


def _stored(db: Database, batch: Iterable[NewArticle]) -> list[sqlite3.Row]:
    return db.rows(
        _STORED,
        {
            "identities": json.dumps([article.identity for article in batch]),
            "urls": json.dumps([article.canonical_url for article in batch]),
        },
    )


_INSERT = """
insert into articles (id, identity, guid, canonical_url, source, url, title, summary, image_url,
                      author, section, tags, priority, expires_at, published_at, first_seen_at)
values (:id, :identity, :guid, :canonical_url, :source, :url, :title, :summary, :image_url,
        :author, :section, :tags, :priority, :expires_at, coalesce(:published_at, :now), :now)
"""

_EDIT = """
update articles
set identity = :identity, guid = :guid, canonical_url = :canonical_url, source = :source,
    url = :url, title = :title, summary = :summary, image_url = :image_url, author = :author,
    section = :section, tags = :tags, priority = :priority, expires_at = :expires_at,
    published_at = :published_at, edited_at = :now
where id = :id
"""

_SET_IDENTITY = "update articles set identity = :identity, guid = :guid where id = :id"

_KEEP_CONTENT = """
insert into contents (article_id, content) values (:id, :content)
on conflict (article_id) do update set content = excluded.content
"""

_DROP_CONTENT = "delete from contents where article_id = :id"

# What readers may notice; a change of anything else is no edit.
_NOTICEABLE: Final = (
    *("source", "url", "title", "summary", "image_url", "author", "section", "tags", "priority"),
    *("expires_at", "published_at", "content"),
)

_Values = dict[str, Any]


class _Upsert:
    """One upsert: the stored articles that a batch may mean, and the statements it comes to."""

    def __init__(self, *, next_id: int, now: str) -> None:
        self._next_id = next_id
        self._now = now
        self._new = self._edited = self._unchanged = 0
        self._seen: set[int] = set()
        self._by_identity: dict[str, _Values] = {}
        self._by_url: dict[str, list[_Values]] = defaultdict(list)
        self._inserts: list[_Values] = []
        self._edits: list[_Values] = []
        self._new_identities: list[_Values] = []

    @property
    def result(self) -> UpsertResult:
        return UpsertResult(new=self._new, edited=self._edited, unchanged=self._unchanged)

    def load(self, stored: Iterable[sqlite3.Row]) -> None:
        """Begin a batch with what is stored of it."""
        self._by_identity.clear()
        self._by_url.clear()
        for row in stored:
            self._index(dict(row))

    def add(self, article: NewArticle) -> None:
        """Find out whether an article is new, edited, or known as it is."""
        stored = self._by_identity.get(article.identity) or self._same(article)
        if stored is None:
            self._insert(values_of(article))
            return
        foreign = article.guid is None and stored["source"] != article.source
        if stored["id"] in self._seen or foreign:
            self._unchanged += 1
            return
        self._seen.add(stored["id"])
        self._follow(stored, values_of(article))

    def write(self, db: Database) -> None:
        """End a batch: run its statements."""
        many = db.connection.executemany
        many(_INSERT, self._inserts)
        many(_EDIT, self._edits)
        many(_SET_IDENTITY, self._new_identities)
        many(_KEEP_CONTENT, [v for v in (*self._inserts, *self._edits) if v["content"]])
        many(_DROP_CONTENT, [v for v in self._edits if not v["content"]])
        self._inserts, self._edits, self._new_identities = [], [], []

    def _same(self, article: NewArticle) -> _Values | None:
        """The stored article that has another identity, and yet is this one."""
        linked = self._by_url.get(article.canonical_url, ())
        of_source = [stored for stored in linked if stored["source"] == article.source]
        only_one = len(of_source) == 1
        for stored in of_source:
            if same_article(article, _identity(stored), only_one=only_one):
                return stored
        return None

    def _insert(self, values: _Values) -> None:
        values |= {"id": self._next_id, "now": self._now}
        self._next_id += 1
        self._seen.add(values["id"])
        self._inserts.append(values)
        self._index(values)
        self._new += 1

    def _follow(self, stored: _Values, values: _Values) -> None:
        if values["guid"] is None:  # what had a GUID keeps it, and its identity with it
            values |= {"identity": stored["identity"], "guid": stored["guid"]}
        values["published_at"] = values["published_at"] or stored["published_at"]
        values |= {"id": stored["id"], "now": self._now}
        # From here on in this batch: a second article with this identity is this one again.
        self._by_identity[values["identity"]] = stored
        if any(values[name] != stored[name] for name in _NOTICEABLE):
            self._edits.append(values)
            self._edited += 1
            return
        if values["identity"] != stored["identity"]:
            self._new_identities.append(values)
        self._unchanged += 1

    def _index(self, values: _Values) -> None:
        self._by_identity[values["identity"]] = values
        self._by_url[values["canonical_url"]].append(values)


def _identity(stored: _Values) -> StoredIdentity:
    return StoredIdentity(
        identity=stored["identity"],
        guid=stored["guid"],
        source=stored["source"],
        title=stored["title"],
        published_at=stored["published_at"],
    )


def write_edit(db: Database, values: Mapping[str, Any]) -> None:
    """Write all values of a stored article anew, inside the caller's transaction."""
    db.execute(_EDIT, values)
    db.execute(_KEEP_CONTENT if values["content"] else _DROP_CONTENT, values)


def values_of(article: NewArticle) -> dict[str, Any]:
    """An article as the columns of `articles`, and its `content`."""
    # By hand: an import does this for every article, and `rows.to_row` takes a third longer.
    return {
        "identity": article.identity,
        "guid": article.guid,
        "canonical_url": article.canonical_url,
        "source": article.source,
        "url": article.url,
        "title": article.title,
        "summary": article.summary,
        "image_url": article.image_url,
        "author": article.author,
        "section": article.section,
        "tags": json.dumps(article.tags, ensure_ascii=False),
        "priority": article.priority,
        "published_at": optional_text(article.published_at),
        "expires_at": optional_text(article.expires_at),
        "content": article.content,
    }
