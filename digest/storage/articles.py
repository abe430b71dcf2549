"""Articles as they are stored: found, corrected by the editor, and decided on by newsletters.

`digest.storage.article_upsert` stores what the sources bring.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from digest.errors import LedgerError
from digest.lib.timestamps import optional_text, to_text
from digest.model.article import Article, Decision, NewArticle
from digest.model.edition import Placement
from digest.storage.article_upsert import WITH_CONTENT, upsert, values_of, write_edit
from digest.storage.database import Database
from digest.storage.rows import from_row

_BY_ID = "select * from articles where id = ?"


def find(db: Database, article_id: int) -> Article | None:
    """The article with this id."""
    return db.value(Article, _BY_ID, (article_id,))


def existing(db: Database, article_id: int) -> Article:
    """The article with this id. Raises LedgerError if there is none."""
    article = find(db, article_id)
    if article is None:
        raise LedgerError(
            f"there is no article {article_id}",
            hint="`digest articles list` shows the numbers of all articles.",
        )
    return article


_BY_IDENTITY = "select * from articles where identity = ?"


def find_by_identity(db: Database, identity: str) -> Article | None:
    """The article of this identity (`digest.model.article_identity`)."""
    return db.value(Article, _BY_IDENTITY, (identity,))


_SEARCH = """
select * from articles
where (:since is null or published_at >= :since)
  and (:section is null or section = :section collate nocase)
  and (:source is null or source = :source collate nocase)
  and (:text is null or title like :text escape '\\' or summary like :text escape '\\')
order by published_at desc, id desc
limit :most
"""


def search(
    db: Database,
    *,
    text: str | None = None,
    section: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    most: int = 50,
) -> tuple[Article, ...]:
    """The newest articles to which everything given applies; `text` is in title or summary."""
    return db.values(
        Article,
        _SEARCH,
        {
            "text": f"%{escape_like(text)}%" if text else None,
            "section": section,
            "source": source,
            "since": optional_text(since),
            "most": most,
        },
    )


def escape_like(text: str) -> str:
    """A text in which `like`, with the backslash as its escape, finds no wildcard."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_WITHDRAW = "update articles set withdrawn_at = ? where id = ? and withdrawn_at is null"


def mark_withdrawn(db: Database, article_id: int, now: datetime) -> Article:
    """Withdraw an article from every newsletter. What was mailed stays mailed.

    Raises LedgerError if there is no such article.
    """
    with db.transaction():
        article = existing(db, article_id)
        db.execute(_WITHDRAW, (to_text(now), article_id))
    return find(db, article_id) or article


_PIN = "insert into pins (newsletter, article_id, since) values (?, ?, ?) on conflict do nothing"

# An article that was refused waits again; one that was never decided on stays so.
_RECONSIDER = """
update decisions set verdict = 'waiting', reason = 'pinned by the editor', decided_at = ?
where newsletter = ? and article_id = ? and verdict not in ('chosen', 'waiting')
"""


def pin(db: Database, newsletter: str, article_id: int, now: datetime) -> Article:
    """Put an article first in the newsletter's next edition; this takes back a drop.

    Raises LedgerError if there is no such article, it was withdrawn, or it has been in an edition.
    """
    with db.transaction():
        article = _open_to(db, newsletter, article_id)
        if article.withdrawn_at:
            raise LedgerError(
                f"article {article_id} cannot be pinned: it was withdrawn",
                hint="`digest articles restore` undoes the withdrawal.",
            )
        db.execute(_PIN, (newsletter, article_id, to_text(now)))
        db.execute(_RECONSIDER, (to_text(now), newsletter, article_id))
    return article


_UNPIN = "delete from pins where newsletter = ? and article_id = ?"


def unpin(db: Database, newsletter: str, article_id: int) -> bool:
    """Take back a pin. False if there was none."""
    return db.execute(_UNPIN, (newsletter, article_id)).rowcount > 0


_DROP = """
insert into decisions (newsletter, article_id, verdict, reason, decided_at)
values (:newsletter, :id, 'dropped', :reason, :now)
on conflict (newsletter, article_id) do update
set verdict = 'dropped', reason = :reason, decided_at = :now
"""


def drop(db: Database, newsletter: str, article_id: int, *, reason: str, now: datetime) -> Article:
    """Keep an article out of the newsletter; this takes back a pin.

    Raises LedgerError if there is no such article, or it has been in an edition.
    """
    with db.transaction():
        article = _open_to(db, newsletter, article_id)
        db.execute(_UNPIN, (newsletter, article_id))
        db.execute(
            _DROP,
            {"newsletter": newsletter, "id": article_id, "reason": reason, "now": to_text(now)},
        )
    return article


_CHOSEN = """
select e.number from decisions d join editions e on e.id = d.edition_id
where d.newsletter = ? and d.article_id = ? and d.verdict = 'chosen'
"""


def _open_to(db: Database, newsletter: str, article_id: int) -> Article:
    """The article, if the newsletter has not had it yet."""
    article = existing(db, article_id)
    chosen = db.row(_CHOSEN, (newsletter, article_id))
    if chosen:
        raise LedgerError(
            f"article {article_id} is in No. {chosen['number']} of {newsletter} already",
            hint="An article is in at most one edition of a newsletter, and stays there.",
        )
    return article


# First the article that is identified by its link, then the source's own, then the oldest.
_BY_LINK = """
select * from articles
where canonical_url = :url
order by identity = 'url:' || :url desc, source = :source desc, id
limit 1
"""


def find_by_link(db: Database, canonical_url: str, *, source: str) -> Article | None:
    """The article with this link; of several, the one of `source` rather than another's."""
    return db.value(Article, _BY_LINK, {"url": canonical_url, "source": source})


def add(db: Database, article: NewArticle, now: datetime) -> Article:
    """Keep one article that is not there yet, and return it as it is stored."""
    upsert(db, [article], now)
    return db.values(Article, _BY_IDENTITY, (article.identity,))[0]


_STORED = f"{WITH_CONTENT} where a.id = ?"


def correct(
    db: Database, article_id: int, article: NewArticle, fields: Set[str], now: datetime
) -> bool:
    """Take over these `fields` of `article`; all others stay as they are stored.

    Returns whether that changes anything. An article always keeps a time of publication. Raises
    LedgerError if there is no such article.
    """
    with db.transaction():
        existing(db, article_id)
        stored = dict(db.rows(_STORED, (article_id,))[0])
        values = {name: value for name, value in values_of(article).items() if name in fields}
        if values.get("published_at", "") is None:
            del values["published_at"]
        if all(stored[name] == value for name, value in values.items()):
            return False
        write_edit(db, stored | values | {"now": to_text(now)})
    return True


_RESTORE = "update articles set withdrawn_at = null where id = ?"

_RECONSIDER_RESTORED = """
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
        db.execute(_RECONSIDER_RESTORED, (to_text(now), article_id))
    return find(db, article_id) or article, True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPlace:
    """Where an article stands in an edition, and under which title."""

    number: int
    slot: str
    position: int
    placement: Placement
    section: str | None
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleDecision:
    """What a newsletter has decided on an article, if it has.

    `edition` is the number of the edition that it was chosen for, `place` where it stands there.
    """

    newsletter: str
    pinned: bool = False
    decision: Decision | None = None
    decided_at: datetime | None = None
    edition: int | None = None
    place: StoryPlace | None = None


_DECISIONS = """
select n.newsletter, p.article_id is not null as pinned, d.article_id, d.verdict, d.reason,
       d.decided_at, e.number as edition, e.number, e.slot, s.position, s.placement, s.section,
       s.title
from (
    select newsletter from decisions where article_id = :id
    union
    select newsletter from pins where article_id = :id
) n
left join pins p on p.newsletter = n.newsletter and p.article_id = :id
left join decisions d on d.newsletter = n.newsletter and d.article_id = :id
left join editions e on e.id = d.edition_id
left join stories s on s.edition_id = d.edition_id and s.article_id = :id
order by n.newsletter
"""


def article_decisions(db: Database, article_id: int) -> tuple[ArticleDecision, ...]:
    """The decision of each newsletter that has decided on an article, or has it pinned."""
    return tuple(
        from_row(
            ArticleDecision,
            row,
            decision=from_row(Decision, row) if row["verdict"] else None,
            place=from_row(StoryPlace, row) if row["position"] else None,
        )
        for row in db.rows(_DECISIONS, {"id": article_id})
    )
