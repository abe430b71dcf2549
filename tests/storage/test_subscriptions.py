import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import LedgerError
from digest.model.subscriber import (
    Action,
    Consent,
    EditionReceived,
    MembershipStatus,
    Segment,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database, open_database

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db") as database:
        yield database


def put(
    db: Database,
    email: str,
    *,
    state: SubscriptionState = SubscriptionState.ACTIVE,
    language: str | None = None,
    topics: tuple[str, ...] = (),
) -> Subscription:
    person = Subscriber(id=subscribers.next_id(db), email=email, language=language)
    subscribers.insert(db, [person], at=NOW)
    one = Subscription(
        subscriber=person,
        newsletter="daily",
        state=state,
        since=NOW,
        token=f"token of {email}",
        topics=topics,
    )
    subscriptions.insert(db, [one])
    return one


def test_a_subscription_comes_back_as_it_was_stored(db: Database) -> None:
    one = put(db, "Eva@example.com", language="pt", topics=("Sport", "Été"))
    assert subscriptions.find(db, "daily", "eva@EXAMPLE.com") == one
    assert subscriptions.find(db, "weekly", "eva@example.com") is None
    assert subscriptions.of(db, one.subscriber) == (one,)
    assert subscribers.find(db, "eva@example.com") == one.subscriber


def test_no_address_is_stored_twice_whatever_its_case(db: Database) -> None:
    put(db, "eva@example.com")
    with pytest.raises(sqlite3.IntegrityError, match="email"):
        put(db, "EVA@example.com")


def test_active_is_active_and_not_suppressed(db: Database) -> None:
    for state in SubscriptionState:
        put(db, f"{state}@example.com", state=state)
    put(db, "suppressed@example.com")
    suppressions.suppress(db, "Suppressed@example.com", reason="bounced", since=NOW)
    found = [
        email
        for email in ("active", "pending", "paused", "unsubscribed", "suppressed", "unknown")
        if subscriptions.find_active(db, "daily", f"{email}@example.com")
    ]
    assert found == ["active"]
    assert subscriptions.segments(db, "daily") == (Segment(language=None, topics=(), readers=1),)


def test_a_hash_alone_keeps_a_reader_from_being_active(db: Database) -> None:
    put(db, "eva@example.com")
    suppressions.suppress(db, "eva@example.com", reason="erased", since=NOW)
    db.execute("update suppressions set email = null")
    assert subscriptions.find_active(db, "daily", "eva@example.com") is None
    assert suppressions.count_erased(db) == 1


def test_variants_are_what_active_readers_share(db: Database) -> None:
    put(db, "a@example.com", language="pt", topics=("Sport",))
    put(db, "b@example.com", language="pt", topics=("Sport",))
    put(db, "c@example.com", language="pt")
    put(db, "d@example.com")
    put(db, "e@example.com", language="fr", state=SubscriptionState.PAUSED)
    assert subscriptions.segments(db, "daily") == (
        Segment(language=None, topics=(), readers=1),
        Segment(language="pt", topics=("Sport",), readers=2),
        Segment(language="pt", topics=(), readers=1),
    )
    assert subscriptions.segments(db, "weekly") == ()


def test_the_list_holds_everybody_once(db: Database) -> None:
    put(db, "b@example.com")
    put(db, "a@example.com", state=SubscriptionState.PAUSED)
    suppressions.suppress(db, "b@example.com", reason="bounced", since=NOW)
    suppressions.suppress(db, "stranger@example.com", reason="asked", since=NOW)
    members = subscriptions.members(db, "daily", MembershipStatus)
    assert [(one.subscriber.email, one.status, one.suppressed_because) for one in members] == [
        ("b@example.com", MembershipStatus.SUPPRESSED, "bounced"),
        ("a@example.com", MembershipStatus.PAUSED, ""),
        ("stranger@example.com", MembershipStatus.SUPPRESSED, "asked"),
    ]
    assert subscriptions.counts(db, "daily") == {
        MembershipStatus.ACTIVE: 0,
        MembershipStatus.PENDING: 0,
        MembershipStatus.PAUSED: 1,
        MembershipStatus.UNSUBSCRIBED: 0,
        MembershipStatus.SUPPRESSED: 2,
    }


def test_no_status_is_nobody_and_no_addresses_are_nobody(db: Database) -> None:
    put(db, "a@example.com")
    assert list(subscriptions.members(db, "daily", [])) == []
    assert subscriptions.find_many(db, "daily", []) == {}


def test_those_among_many_addresses_are_found_whatever_their_case(db: Database) -> None:
    one = put(db, "Eva@example.com")
    other = Subscriber(id=2, email="ida@example.com")
    subscribers.insert(db, [other], at=NOW)
    found = subscriptions.find_many(
        db, "daily", ["EVA@example.com", "ida@example.com", "x@y.example"]
    )
    assert found == {"eva@example.com": one, "ida@example.com": other}


def test_looking_among_addresses_never_walks_the_whole_list(db: Database) -> None:
    plan = db.rows(
        "explain query plan " + subscriptions._FIND_MANY, {"newsletter": "daily", "emails": "[]"}
    )
    steps = [row["detail"] for row in plan if "json_each" not in row["detail"]]
    assert not [step for step in steps if step.startswith("SCAN")]
    assert not [step for step in steps if "subscriptions_by_newsletter (newsletter=?)" in step]


def test_states_and_topics_change(db: Database) -> None:
    one = put(db, "eva@example.com")
    later = datetime(2026, 3, 13, tzinfo=UTC)
    subscriptions.set_states(db, [(one, SubscriptionState.PAUSED)], since=later)
    subscriptions.set_topics(db, [(one, ["Sport"])])
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    assert (found.state, found.since, found.topics) == (
        SubscriptionState.PAUSED,
        later,
        ("Sport",),
    )


def test_what_became_of_every_edition_for_a_person_is_found(db: Database) -> None:
    eva, ida = put(db, "eva@example.com").subscriber, put(db, "ida@example.com").subscriber
    for number in (1, 2):
        db.execute(
            "insert into editions (id, newsletter, slot, number, state, since, cutoff,"
            " last_article_id, nonce, subject, created_at)"
            " values (?, 'daily', ?, ?, 'sent', '', '', 0, ?, 'News', '')",
            (number, f"2026-03-1{number}T07:00", number, f"nonce{number}"),
        )
        db.execute(
            "insert into variants (edition_id, variant, language, topics, fields, subject, html,"
            " text)"
            " values (?, 'en', 'en', '[]', '[]', '', '', '')",
            (number,),
        )
    db.connection.executemany(
        "insert into deliveries (edition_id, subscriber_id, variant, state, reply, finished_at)"
        " values (?, ?, 'en', ?, ?, ?)",
        [
            (1, eva.id, "sent", "250 2.0.0 ok", "2026-03-11T07:00:05Z"),
            (2, eva.id, "queued", None, None),
            (1, ida.id, "rejected", "550 no", "2026-03-11T07:00:06Z"),
        ],
    )
    assert subscribers.editions_received(db, eva.id) == (
        EditionReceived(
            newsletter="daily",
            number=1,
            state="sent",
            reply="250 2.0.0 ok",
            finished_at=datetime(2026, 3, 11, 7, 0, 5, tzinfo=UTC),
        ),
        EditionReceived(newsletter="daily", number=2, state="queued", reply="", finished_at=None),
    )


def test_the_first_reason_of_a_suppression_stays(db: Database) -> None:
    assert suppressions.suppress(db, "eva@example.com", reason="bounced", since=NOW)
    assert not suppressions.suppress(db, "EVA@example.com", reason="again", since=NOW)
    found = suppressions.find(db, "Eva@example.com")
    assert found is not None
    assert found.reason == "bounced"
    assert "eva@EXAMPLE.com" in suppressions.suppressed_addresses(db)
    assert "ida@example.com" not in suppressions.suppressed_addresses(db)


def test_a_hash_gives_no_address_away_without_its_key(db: Database, tmp_path: Path) -> None:
    suppressions.suppress(db, "eva@example.com", reason="x", since=NOW)
    with open_database(tmp_path / "other.db") as other:
        suppressions.suppress(other, "eva@example.com", reason="x", since=NOW)
        hashes = [one.rows("select hash from suppressions")[0][0] for one in (db, other)]
    assert hashes[0] != hashes[1]
    assert len(hashes[0]) == 32


def test_suppressions_without_their_key_are_not_forgotten_silently(db: Database) -> None:
    db.execute("delete from keys")
    with pytest.raises(LedgerError, match="the key 'suppressions' is missing"):
        suppressions.find(db, "eva@example.com")


def test_receipts_are_kept_in_order_and_cannot_be_changed(db: Database) -> None:
    one = put(db, "eva@example.com")
    receipts = tuple(
        Consent(
            subscriber_id=one.subscriber.id,
            newsletter="daily",
            action=action,
            wording="asked",
            origin="command line",
            at=NOW,
        )
        for action in (Action.SUBSCRIBED, Action.PAUSED)
    )
    subscribers.record_consents(db, receipts)
    assert subscribers.consents_of(db, one.subscriber.id) == receipts
    for statement in ("delete from consents", "update consents set wording = ''"):
        with pytest.raises(sqlite3.IntegrityError, match="a consent is a receipt"):
            db.execute(statement)
