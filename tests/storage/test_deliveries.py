"""Claims and records travel through SQLite many at a time; nothing is lost on the way."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model.delivery import DeliveryState
from digest.model.subscriber import Recipient
from digest.publishing.editions.store import prepare
from digest.storage import deliveries
from digest.storage.database import Database, open_database
from digest.storage.deliveries import AttemptResult, Batch
from tests.publishing.paper import NOW, Paper, paper_in

# Whatever UTF-8 can hold.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def prepared(folder: Path, *emails: str) -> Paper:
    paper = paper_in(folder)
    paper.publish("Ferry late")
    paper.subscribe(*emails)
    with open_database(paper.settings.database) as db:
        prepare(db, paper.settings, paper.newsletter, now=NOW)
    return paper


def claimed(db: Database, *, after: int = 0, most: int = 10) -> Batch:
    with db.transaction():
        return deliveries.claim(db, 1, NOW, after=after, most=most, untried=True)


@settings(max_examples=60, deadline=None)
@given(name=ANY_TEXT, city=ANY_TEXT)
def test_a_reader_is_claimed_as_stored(
    tmp_path_factory: pytest.TempPathFactory, name: str, city: str
) -> None:
    paper = prepared(tmp_path_factory.mktemp("paper"), "ana@example.org")
    paper.run("update subscribers set name = ?, fields = ?", name, json.dumps({"city": city}))

    with open_database(paper.settings.database) as db:
        [delivery] = claimed(db).deliveries

    assert delivery.recipient == Recipient(
        email="ana@example.org", name=name, token="token-of-1", fields={"city": city}
    )
    assert delivery.attempts == 1
    assert delivery.first_attempt_at is None


@settings(max_examples=60, deadline=None)
@given(replies=st.lists(ANY_TEXT.filter(lambda text: "\0" not in text), min_size=1, max_size=3))
def test_what_the_server_said_is_recorded_word_for_word(
    tmp_path_factory: pytest.TempPathFactory, replies: list[str]
) -> None:
    emails = [f"reader{n}@example.org" for n in range(len(replies))]
    paper = prepared(tmp_path_factory.mktemp("paper"), *emails)

    with open_database(paper.settings.database) as db:
        batch = claimed(db)
        with db.transaction():
            deliveries.record(
                db,
                [
                    AttemptResult(delivery_id=one.id, state=DeliveryState.SENT, reply=reply, at=NOW)
                    for one, reply in zip(batch.deliveries, replies, strict=True)
                ],
            )
        recorded = db.rows("select state, reply, finished_at from deliveries order by id")

    assert [tuple(row) for row in recorded] == [
        ("sent", reply, "2026-03-12T07:00:00Z") for reply in replies
    ]


def test_an_outcome_of_what_is_not_claimed_changes_nothing(tmp_path: Path) -> None:
    paper = prepared(tmp_path, "ana@example.org")

    with open_database(paper.settings.database) as db:
        settled = AttemptResult(delivery_id=1, state=DeliveryState.SENT, reply="250 Ok", at=NOW)
        with db.transaction():
            deliveries.record(db, [settled])

    assert paper.states() == {"ana@example.org": "queued"}


def test_claims_go_on_where_the_last_one_ended(tmp_path: Path) -> None:
    emails = [f"reader{n}@example.org" for n in range(5)]
    paper = prepared(tmp_path, *emails)

    with open_database(paper.settings.database) as db:
        first = claimed(db, most=3)
        second = claimed(db, after=first.last_id or 0, most=3)

    assert [one.recipient.email for one in first.deliveries] == emails[:3]
    assert [one.recipient.email for one in second.deliveries] == emails[3:]
    assert second.last_id is None
