"""Explain: why a reader has an edition, or has it not."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from digest.model.delivery import Deferred, Rejected, Reply, Unknown
from digest.model.subscriber import MembershipStatus
from digest.publishing.explain import ReaderExplanation, explain_reader
from digest.storage import subscribers
from digest.storage.database import Access, open_database
from digest.subscribers import membership
from digest.subscribers.changes import ChangeContext
from digest.subscribers.import_row import ImportedReader
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

ADA = "ada@example.com"


def by_hand(hours: float, wording: str | None = None) -> ChangeContext:
    return ChangeContext(
        newsletter="daily",
        now=NOW + timedelta(hours=hours),
        origin="command line",
        tokens=lambda: secrets.token_urlsafe(16),
        wording=wording,
    )


def join(
    paper: Paper, email: str, *, hours: float, again: str | None = None, standing: str = "active"
) -> None:
    reader = ImportedReader(line=0, email=email, status=MembershipStatus(standing))
    with open_database(paper.settings.database) as db:
        membership.add(db, reader, by_hand(hours, again))


def leave(paper: Paper, email: str, *, hours: float) -> None:
    with open_database(paper.settings.database) as db:
        membership.unsubscribe(db, email, "by phone", by_hand(hours))


def why(paper: Paper, email: str, *, number: int | None = None, hours: float = 9) -> str:
    return asked(paper, email, number=number, now=NOW + timedelta(hours=hours)).why


def asked(
    paper: Paper, email: str, *, now: datetime, number: int | None = None
) -> ReaderExplanation:
    with open_database(paper.settings.database, Access.READ) as db:
        person = subscribers.find(db, email)
        assert person is not None
        (answer,) = explain_reader(db, paper.settings, person, now=now, only="daily", number=number)
        return answer


@pytest.fixture
def ready(paper: Paper) -> Paper:
    """An article, and Ada and Ben on the list since an hour before NOW."""
    paper.publish("Ferry late")
    join(paper, ADA, hours=-1)
    join(paper, "ben@example.com", hours=-1)
    return paper


def test_before_the_first_edition_there_is_nothing_to_explain(ready: Paper) -> None:
    assert why(ready, ADA) == "there is no edition yet"


def test_who_got_it_is_told_when_and_what_the_server_said(ready: Paper) -> None:
    ready.sent(now=NOW)
    assert why(ready, ADA) == "the server accepted the message 2026-03-12 07:00 GMT: 250 recorded"


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (
            Rejected(reason="no", reply=Reply(code=550, text="no such user")),
            "the server rejected the message 2026-03-12 07:00 GMT: 550 no such user",
        ),
        (
            Unknown(reason="the line was lost"),
            "nobody knows whether it arrived 2026-03-12 07:00 GMT: the line was lost;"
            " `digest resume --unknown` decides",
        ),
    ],
)
def test_who_did_not_get_it_is_told_why(
    ready: Paper, outcome: Rejected | Unknown, told: str
) -> None:
    ready.send(RecordingTransport({ADA: outcome}), now=NOW)
    assert why(ready, ADA) == told


def test_whoever_was_put_off_is_told_until_when(ready: Paper) -> None:
    full = Deferred(reason="full", reply=Reply(code=452, text="mailbox full"))
    ready.send(RecordingTransport({ADA: full}), now=NOW)
    ready.run("update deliveries set attempts = 2, next_attempt_at = '2026-03-12T08:30:00Z'")
    assert why(ready, ADA) == (
        "the server deferred it, at attempt 2: 452 mailbox full; tried again 2026-03-12 08:30 GMT"
    )


def test_a_reader_whose_hour_has_not_come_waits_for_it(ready: Paper) -> None:
    ready.sent(now=NOW)
    ready.run(
        "update deliveries set state = 'queued', finished_at = null, reply = null,"
        " due_at = '2026-03-12T17:00:00Z'"
    )
    assert why(ready, ADA) == "it waits for the reader's own time, 2026-03-12 17:00 GMT"
    assert why(ready, ADA, hours=10) == "it is queued"


def test_who_joined_later_is_told_so(ready: Paper) -> None:
    ready.sent(now=NOW)
    join(ready, "cleo@example.com", hours=2)
    assert why(ready, "cleo@example.com") == (
        "it was prepared 2026-03-12 07:00 GMT, and this reader joined later, 2026-03-12 09:00 GMT"
    )


def test_who_had_left_is_told_since_when_even_after_coming_back(ready: Paper) -> None:
    leave(ready, ADA, hours=-0.5)
    ready.sent(now=NOW)
    join(ready, ADA, hours=3, again="asked for it by phone")
    assert why(ready, ADA) == (
        "it was prepared 2026-03-12 07:00 GMT, and this reader had unsubscribed"
        " 2026-03-12 06:30 GMT: by phone"
    )


def test_who_was_suppressed_or_not_active_is_told_so(ready: Paper) -> None:
    with open_database(ready.settings.database) as db:
        membership.suppress(db, ADA, "complained", by_hand(-0.5))
    join(ready, "cleo@example.com", hours=-0.5, standing="pending")
    ready.sent(now=NOW)
    assert "had been suppressed 2026-03-12 06:30 GMT: complained" in why(ready, ADA)
    assert why(ready, "cleo@example.com") == (
        "it was prepared 2026-03-12 07:00 GMT, when this reader was not active: listed as pending"
    )


def test_who_left_between_preparing_and_sending_was_passed_over(ready: Paper) -> None:
    ready.sent(now=NOW)
    ready.run("update deliveries set state = 'queued', finished_at = null, reply = null")
    ready.run("update editions set state = 'prepared'")
    leave(ready, ADA, hours=1)
    ready.sent(now=NOW + timedelta(hours=2))
    assert why(ready, ADA) == (
        "it was withheld 2026-03-12 09:00 GMT: unsubscribed after the edition was prepared"
    )


def test_an_older_edition_can_be_asked_about(ready: Paper) -> None:
    ready.sent(now=NOW)
    join(ready, "cleo@example.com", hours=1)
    ready.publish("Bridge shut")
    ready.sent(now=NOW + timedelta(hours=2))
    assert "joined later" in why(ready, "cleo@example.com", number=1)
    assert "the server accepted the message" in why(ready, "cleo@example.com")
    assert asked(ready, ADA, now=NOW, number=9).edition is None


def test_when_the_record_was_pruned_that_is_said(ready: Paper) -> None:
    ready.sent(now=NOW)
    ready.run("delete from deliveries")
    ready.run("insert into delivery_totals values (1, 'sent', 2)")
    assert why(ready, ADA) == "the record of its deliveries was pruned, and only totals are left"


def test_somebody_of_another_newsletter_is_told_so(ready: Paper) -> None:
    weekly = replace(ready.newsletter, key="weekly")
    two = Paper(replace(ready.settings, newsletters={"daily": ready.newsletter, "weekly": weekly}))
    ready.sent(now=NOW)
    join(two, "cleo@example.com", hours=-1)
    two.run("update subscriptions set newsletter = 'weekly' where subscriber_id = 3")
    two.run("drop trigger consents_are_never_changed")
    two.run("update consents set newsletter = 'weekly' where subscriber_id = 3")
    assert why(two, "cleo@example.com") == "never on the list of daily"
