"""A preview is the send path without the writes."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from digest.errors import SubscriberError
from digest.model.delivery import Accepted, Deferred
from digest.publishing.editions.build import Skipped
from digest.publishing.preview import Preview, preview, send_test
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport


def shown(paper: Paper, reader: str | None = None) -> Preview:
    made = preview(paper.settings, paper.newsletter, now=NOW, reader=reader)
    assert isinstance(made, Preview)
    return made


def parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=default)


def comparable(message: bytes) -> str:
    """A message without what is random: the edition's nonce in Message-ID and boundaries."""
    return re.sub(
        r"(?m)^(Message-ID|Date|Content-Type):.*(\n[ \t].*)*|^--.*$", "", message.decode()
    )


@pytest.fixture
def daily(paper: Paper) -> Paper:
    paper.publish("Ferry late", "Library open", section="Town")
    paper.subscribe("ada@example.com")
    paper.subscribe("carl@example.com", language="de")
    return paper


def test_what_is_shown_is_what_is_sent(daily: Paper) -> None:
    before = [shown(daily, email).message for email in ("ada@example.com", "carl@example.com")]
    transport = RecordingTransport()
    daily.send(transport)
    sent = [attempt.message for attempt in transport.accepted]
    assert [comparable(m) for m in before] == [comparable(m) for m in sent]


def test_a_preview_writes_nothing(daily: Paper) -> None:
    daily.run("pragma wal_checkpoint(truncate)")
    before = daily.settings.database.read_bytes()
    shown(daily)
    assert daily.settings.database.read_bytes() == before
    assert daily.value("select count(*) from editions") == 0


def test_a_preview_shows_the_edition_that_was_begun_and_not_a_newer_one(daily: Paper) -> None:
    daily.send(RecordingTransport({"carl@example.com": Deferred(reason="busy")}))
    daily.publish("Brand new", hours=0.1)
    made = preview(daily.settings, daily.newsletter, now=NOW + timedelta(hours=1))
    assert isinstance(made, Preview)
    assert made.begun
    assert made.edition.number == 1
    assert made.readers == 1
    assert "Brand new" not in made.page


def test_a_reader_without_a_subscription_is_named(daily: Paper) -> None:
    with pytest.raises(SubscriberError, match=r"nobody@example\.com has no active"):
        shown(daily, "nobody@example.com")


def test_topics_that_have_nothing_are_said_to_have_nothing(daily: Paper) -> None:
    daily.subscribe("chess@example.com", topics='["Chess"]')
    made = preview(daily.settings, daily.newsletter, now=NOW, reader="chess@example.com")
    assert made == Skipped(reason="it has nothing for the topics of chess@example.com")


def test_a_test_message_leaves_no_trace(daily: Paper) -> None:
    made = preview(daily.settings, daily.newsletter, now=NOW, test_address="editor@gazette.example")
    assert isinstance(made, Preview)
    transport = RecordingTransport()
    assert isinstance(send_test(made, "editor@gazette.example", transport), Accepted)
    assert parsed(transport.accepted[0].message)["To"] == "editor@gazette.example"
    for table in ("editions", "deliveries", "decisions"):
        assert daily.value(f"select count(*) from {table}") == 0  # noqa: S608
