"""How a database is: whether it is whole, and what is in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.storage import migrations
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at a database showed; `faults` are SQLite's own words, none when it is whole.

    `readers` counts the active subscriptions of each newsletter.
    """

    faults: tuple[str, ...]
    schema: str
    articles: int
    subscribers: int
    editions: int
    readers: Mapping[str, int]


_COUNTS = """
select
    (select count(*) from articles) as articles,
    (select count(*) from subscribers) as subscribers,
    (select count(*) from editions) as editions
"""

_READERS = """
select newsletter, count(*) as readers
from subscriptions
where state = 'active'
group by newsletter
order by newsletter
"""


def health(db: Database) -> Health:
    """Read the whole file and look. Takes a second for a gigabyte or so."""
    whole = [str(row[0]) for row in db.rows("pragma integrity_check(5)")]
    dangling = [
        f"a row of {row['table']} points to nothing in {row['parent']}"
        for row in db.rows("pragma foreign_key_check")[:5]
    ]
    counts = db.rows(_COUNTS)[0]
    steps = migrations.applied(db.connection)
    return Health(
        faults=tuple([line for line in whole if line != "ok"] + dangling),
        schema=steps[-1] if steps else "none",
        articles=counts["articles"],
        subscribers=counts["subscribers"],
        editions=counts["editions"],
        readers={row["newsletter"]: row["readers"] for row in db.rows(_READERS)},
    )
