"""How long it takes to select an edition from a million stored articles.

    python benchmarks/selecting.py [ARTICLES]

The reference, in the same run on the same file, is reading just as many articles by their ids:
what no query can do without. The stock is five years of an even stream of articles in six sections;
half of the last two days has been decided by an earlier edition.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.lib.timestamps import to_text
from digest.model.newsletter import Rules
from digest.selection import Selection, select
from digest.storage.candidates import candidates
from digest.storage.database import Access, Database, open_database

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)
ROUNDS = 15
WORDS = [
    "harbour",
    "ferry",
    "council",
    "library",
    "storm",
    "bridge",
    "market",
    "tide",
    "choir",
    "regatta",
    "school",
    "lane",
]


def stock(db: Database, articles: int) -> None:
    step = YEARS / articles
    with db.transaction():
        db.connection.executemany(
            "insert into articles (id, identity, source, url, canonical_url, title, summary,"
            " section, published_at, first_seen_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    n,
                    f"guid:gazette:{n}",
                    f"source {n % 7}",
                    f"https://gazette.example/{n}",
                    f"https://gazette.example/{n}",
                    f"{WORDS[n % 12]} {WORDS[n // 12 % 12]} report {n}",
                    "A summary of two sentences, as they are. It says what happened.",
                    f"Section {n % 6}",
                    to_text(NOW - step * (articles - n + 1)),
                    to_text(NOW - step * (articles - n + 1)),
                )
                for n in range(1, articles + 1)
            ),
        )
        db.execute(
            "insert into decisions (newsletter, article_id, verdict, reason, decided_at)"
            " select 'daily', id, 'too old', 'long ago', ? from articles where published_at < ?",
            (to_text(NOW), to_text(NOW - timedelta(days=1))),
        )
        db.execute("analyze")


def median(work: Callable[[], object]) -> float:
    """Milliseconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rules = Rules(max_items=24)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subscribers.db"
        with open_database(path) as db:
            stock(db, articles)
        with open_database(path, Access.READ) as db:
            since = NOW - rules.max_age

            def read() -> object:
                return candidates(db, "daily", since=since, cutoff=NOW)

            found = candidates(db, "daily", since=since, cutoff=NOW).articles
            ids = [(article.id,) for article in found]

            def reference() -> None:
                for id_ in ids:
                    db.row("select * from articles where id = ?", id_)

            result = select(found, rules, cutoff=NOW)
            assert isinstance(result, Selection)
            reading, selecting = median(read), median(lambda: select(found, rules, cutoff=NOW))
            by_id = median(reference)
    print(f"{articles:,} articles stored, {len(found):,} candidates, {len(result.stories)} stories")
    print(f"reading the candidates   {reading:7.1f} ms")
    print(f"selecting among them     {selecting:7.1f} ms")
    print(f"together                 {reading + selecting:7.1f} ms   (to reach: under 100 ms)")
    print(f"the same rows by id      {by_id:7.1f} ms   ratio {(reading + selecting) / by_id:.1f}")


if __name__ == "__main__":
    main()
