"""The sandbox: a database in memory with the articles of a newsletter and without readers.

It has the real schema, its triggers included, so that the code that makes editions runs on it
unchanged. Nothing of it is kept.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from digest.lib.timestamps import to_text
from digest.model.article import Verdict
from digest.storage import migrations
from digest.storage.database import Database

#: SQLite's own name for a database that has no file.
_NOWHERE: Final = Path(":memory:")

# What was decided by then is decided: by the editions before, or with them.
_DECIDED_BY = """
select ifnull(max(created_at), '') from editions where newsletter = :newsletter and cutoff <= :begin
"""

# Besides the articles in reach, their neighbours in time: they say why a slot has nothing new.
_ARTICLES = """
with reachable (id) as (
    select id from articles where published_at >= :since and published_at < :until
    union all
    select id from (select id from articles where published_at < :since
                    order by published_at desc limit 1)
    union all
    select id from (select id from articles where published_at >= :until
                    order by published_at limit 1)
)
select a.* from reachable join articles a on a.id = reachable.id
where not exists (select 1 from decisions d
                  where d.newsletter = :newsletter and d.article_id = a.id
                    and d.verdict not in ('waiting', 'dropped') and d.decided_at <= :decided_by)
order by a.id
"""

# What the editor dropped stays out, whatever the rules are.
_DROPPED = """
select d.newsletter, d.article_id, d.verdict, d.reason, d.decided_at
from articles a join decisions d on d.newsletter = :newsletter and d.article_id = a.id
where a.published_at >= :since and a.published_at < :until and d.verdict = 'dropped'
"""

_PINS = """
select p.newsletter, p.article_id, p.since
from pins p join articles a on a.id = p.article_id
where p.newsletter = :newsletter and a.published_at >= :since and a.published_at < :until
"""

_KEEP_DROPPED = """
insert into decisions (newsletter, article_id, verdict, reason, decided_at) values (?, ?, ?, ?, ?)
"""

# A pin on what an edition before has had is none; the article is not here.
_KEEP_PIN = """
insert into pins (newsletter, article_id, since)
select :newsletter, id, :since from articles where id = :article_id
"""


@contextmanager
def sandbox(
    real: Database, newsletter: str, *, since: datetime, begin: datetime, until: datetime
) -> Iterator[Database]:
    """A database in memory as the newsletter's own might have been at `begin`, without readers.

    It holds the articles published in `[since, until)`, as they are now, with the pins and drops
    of the editor. What editions before `begin` had, or ruled out, is not in it. `real` is only
    read.
    """
    values = {
        "newsletter": newsletter,
        "since": to_text(since),
        "begin": to_text(begin),
        "until": to_text(until),
    }
    values["decided_by"] = real.scalar(_DECIDED_BY, values)
    connection = sqlite3.connect(_NOWHERE, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("pragma foreign_keys = on")
        for _, step in migrations.STEPS:
            connection.executescript(step)
        db = Database(connection, _NOWHERE)
        with db.transaction():
            _copy(real, db, values)
        yield db
    finally:
        connection.close()


def _copy(real: Database, db: Database, values: dict[str, str]) -> None:
    articles = real.execute(_ARTICLES, values)
    places = ", ".join("?" * len(articles.description))
    db.connection.executemany(f"insert into articles values ({places})", articles)  # noqa: S608
    db.connection.executemany(_KEEP_DROPPED, real.execute(_DROPPED, values))
    db.connection.executemany(_KEEP_PIN, map(dict, real.execute(_PINS, values)))


_IN_REACH = "select count(*) from articles where published_at >= :since and published_at < :until"


def in_reach(db: Database, since: datetime, until: datetime) -> int:
    """How many articles were published in `[since, until)`."""
    return int(db.scalar(_IN_REACH, {"since": to_text(since), "until": to_text(until)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many articles have this verdict, or none. `reason` is empty where each has its own."""

    verdict: Verdict | None
    reason: str
    articles: int


# What is too old for the edition after the last one will be in none, whether it waited or not.
_COUNTS = """
select verdict, reason, count(*) as articles from (
    select case when (d.verdict is null or d.verdict = 'waiting') and a.published_at < :horizon
                then 'too old' else d.verdict end as verdict,
           iif(d.verdict in ('waiting', 'out of scope', 'dropped'), d.reason, '') as reason
    from articles a
    left join decisions d on d.newsletter = :newsletter and d.article_id = a.id
    where a.published_at >= :since and a.published_at < :until)
group by verdict, reason order by articles desc, verdict, reason
"""


def counts(
    db: Database, newsletter: str, *, since: datetime, until: datetime, horizon: datetime
) -> tuple[Count, ...]:
    """What became of the articles published in `[since, until)`, the most frequent first.

    Those without a final decision that are from before `horizon` count as too old; where they
    waited, the reason is why.
    """
    return db.values(
        Count,
        _COUNTS,
        {
            "newsletter": newsletter,
            "since": to_text(since),
            "until": to_text(until),
            "horizon": to_text(horizon),
        },
    )
