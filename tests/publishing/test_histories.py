"""A newsletter at random, over the real database: a decision per article, a delivery per reader."""

from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import DigestError
from digest.lib.timestamps import to_text
from digest.model.newsletter import Rules
from digest.model.subscriber import MembershipStatus
from digest.publishing.editions.store import prepare
from digest.publishing.maintenance import audit
from digest.storage import articles
from digest.storage.database import Database, open_database
from digest.subscribers import membership
from digest.subscribers.changes import ChangeContext
from digest.subscribers.import_row import ImportedReader
from tests.publishing.paper import NOW, Paper, paper_in

WORDS = ["ferry", "bridge", "council", "tide", "library", "choir", "harbour", "storm"]

events = st.one_of(
    st.tuples(
        st.just("publish"), st.integers(-30, 60), st.lists(st.sampled_from(WORDS), min_size=1)
    ),
    st.tuples(st.just("redate"), st.integers(-30, 90), st.integers(0, 20)),
    st.tuples(st.sampled_from(["pin", "drop", "withdraw"]), st.integers(0, 20)),
    st.tuples(st.sampled_from(["join", "leave", "suppress"]), st.integers(0, 4)),
    st.tuples(st.just("edition"), st.integers(1, 40), st.integers(6, 72)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(events, min_size=4, max_size=25))
def test_no_article_is_in_two_editions_and_none_disappears(
    history: list[tuple[object, ...]],
) -> None:
    with TemporaryDirectory() as folder:
        paper = paper_in(Path(folder))
        paper.subscribe("ada@example.com")
        now = NOW
        for event, *details in history:
            if event == "edition":
                hours, age = details
                assert isinstance(hours, int)
                assert isinstance(age, int)
                now += timedelta(hours=hours)
                rules = Rules(max_age=timedelta(hours=age), max_items=3)
                make_edition(paper.with_rules(rules), now)
                assert audit(paper.settings).breaches == ()
            else:
                happen(paper, now, event, details)
        assert paper.value("select count(*) - count(distinct article_id) from stories") == 0


def make_edition(paper: Paper, now: datetime) -> None:
    with open_database(paper.settings.database) as db:
        prepare(db, paper.settings, paper.newsletter, now=now)
        db.execute("update deliveries set state = 'sent', attempts = 1, finished_at = 'then'")
        db.execute("update editions set state = 'sent'")


def happen(paper: Paper, now: datetime, event: object, details: list[object]) -> None:
    with open_database(paper.settings.database) as db:
        match event, details:
            case "publish", [int(hours), list(words)]:
                add(db, to_text(now - timedelta(hours=hours)), " ".join(words))
            case "redate", [int(hours), int(n)]:
                db.execute(
                    "update articles set published_at = ?, edited_at = ? where id = ?",
                    (to_text(now - timedelta(hours=hours)), to_text(now), n),
                )
            case "join" | "leave" | "suppress", [int(n)]:
                come_or_go(db, event, f"reader{n}@example.com", now)
            case _, [int(n)]:
                by_hand(db, str(event), n, now)
            case _:
                raise AssertionError(event)


def by_hand(db: Database, event: str, n: int, now: datetime) -> None:
    """What an editor may do; what the ledger refuses is refused."""
    try:
        if event == "pin":
            articles.pin(db, "daily", n, now)
        elif event == "drop":
            articles.drop(db, "daily", n, reason="not for us", now=now)
        else:
            articles.mark_withdrawn(db, n, now)
    except DigestError:
        pass


def come_or_go(db: Database, event: object, email: str, now: datetime) -> None:
    """What a reader may do; who left comes back only by asking for it, as this one does."""
    given = ChangeContext(
        newsletter="daily",
        now=now,
        origin="by phone",
        tokens=lambda: f"token-{token_hex(8)}",
        wording="asked for it",
    )
    try:
        if event == "join":
            membership.add(
                db, ImportedReader(line=0, email=email, status=MembershipStatus.ACTIVE), given
            )
        elif event == "leave":
            membership.unsubscribe(db, email, "enough", given)
        else:
            membership.suppress(db, email, "complained", given)
    except DigestError:
        pass


def add(db: Database, published: str, title: str) -> None:
    row = db.row("select coalesce(max(id), 0) + 1 from articles")
    assert row is not None
    url = f"https://gazette.example/{row[0]}"
    db.execute(
        "insert into articles (identity, source, url, canonical_url, title, published_at,"
        " first_seen_at) values (?, 'gazette', ?, ?, ?, ?, ?)",
        (url, url, url, f"{title} {row[0]}", published, published),
    )
