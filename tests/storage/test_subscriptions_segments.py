"""Segments: SQLite and the composer must agree on what readers answer, to the letter."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from digest.model.subscriber import (
    Segment,
    Subscriber,
    Subscription,
    SubscriptionState,
    answers_of,
)
from digest.storage import subscribers, subscriptions
from digest.storage.database import Database, open_database

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)

SEGMENT_FIELDS = ("fields.city", 'fields.has "it"', "has fields.a.b[0]", "has name", "name")
# SQLite's text ends at a NUL, and no reader's text holds one.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db") as database:
        yield database


def put(db: Database, *people: Subscriber, topics: tuple[str, ...] = ()) -> None:
    subscribers.insert(db, people, at=NOW)
    subscriptions.insert(
        db,
        [
            Subscription(
                subscriber=person,
                newsletter="daily",
                state=SubscriptionState.ACTIVE,
                since=NOW,
                token=f"token of {person.email}",
                topics=topics,
            )
            for person in people
        ],
    )


def reader(number: int, name: str = "", **fields: str) -> Subscriber:
    return Subscriber(id=number, email=f"reader{number}@example.com", name=name, fields=fields)


def test_readers_are_told_apart_by_what_they_answer(db: Database) -> None:
    put(db, reader(1, "Ana", city="Oslo"), reader(2, "Eva", city="Oslo"), reader(3, city="Koper"))
    put(db, reader(4), reader(5, city=""), topics=("Sport",))
    found = subscriptions.segments(db, "daily", ("fields.city", "has name"))
    assert set(found) == {
        Segment(language=None, topics=(), answers=("Oslo", "yes"), readers=2),
        Segment(language=None, topics=(), answers=("Koper", "no"), readers=1),
        Segment(language=None, topics=("Sport",), answers=("", "no"), readers=2),
    }
    assert subscriptions.count_distinct_answers(db, "daily", ("fields.city",)) == 3
    assert subscriptions.count_distinct_answers(db, "daily", ("fields.city", "name")) == 4
    assert subscriptions.count_distinct_answers(db, "weekly", ("name",)) == 0


@given(name=TEXT, city=TEXT, odd=TEXT)
@example(name="", city="", odd="")
@example(name='"\\/\b\f\n\r\t\x01\x7f\u2028é👩\u200d🚀', city="[1, 2]", odd="null")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_answer_is_what_the_composer_would_say_of_the_reader(
    db: Database, name: str, city: str, odd: str
) -> None:
    fields = {"city": city, 'has "it"': odd, "a.b[0]": odd}
    db.execute("delete from subscriptions")
    db.execute("delete from subscribers")
    put(db, reader(1, name, **fields))
    (found,) = subscriptions.segments(db, "daily", SEGMENT_FIELDS)
    assert found.answers == answers_of(SEGMENT_FIELDS, name, fields)
    stored = db.row("select fields from subscribers")
    assert stored is not None
    assert json.loads(stored["fields"]) == fields
