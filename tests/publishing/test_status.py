"""Status: how far an edition is, how fast, and what waits for whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.model.delivery import DeliveryState
from digest.model.draft import DraftContents, DraftItem
from digest.model.edition import Placement
from digest.model.schedule import OnSilence, Timing
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.publishing.status import EditionStatus, NewsletterStatus, status
from digest.storage import drafts, slots
from digest.storage.database import open_database
from tests.publishing.paper import NOW, Paper

READERS = [f"reader{number}@example.com" for number in range(1, 11)]


@pytest.fixture
def sent(paper: Paper) -> Paper:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.sent(now=NOW)
    return paper


def asked(paper: Paper, *, now: datetime = NOW, listed: int = -1) -> NewsletterStatus:
    return status(paper.settings, paper.newsletter, now=now, listed=listed)


def newest(paper: Paper, *, now: datetime = NOW, listed: int = -1) -> EditionStatus:
    return asked(paper, now=now, listed=listed).editions[0]


def test_an_edition_that_everybody_has_is_complete_and_lists_nobody(sent: Paper) -> None:
    found = newest(sent)
    assert found.complete
    assert (found.missing, found.unfinished, found.reasons.first, found.pace) == (0, (), (), None)


def test_the_pace_is_that_of_the_last_seconds_and_says_when_it_ends(sent: Paper) -> None:
    sent.run("update deliveries set state = 'queued', finished_at = null")
    sent.run(
        "update deliveries set state = 'sent', finished_at = '2026-03-12T06:00:00Z' where id = 1"
    )
    sent.run(
        "update deliveries set state = 'sent', finished_at = '2026-03-12T07:00:01Z' where id < 6"
    )
    sent.run("update deliveries set state = 'sending' where id = 6")
    now = datetime(2026, 3, 12, 7, 0, 3, tzinfo=UTC)
    pace = newest(sent, now=now).pace
    assert pace is not None
    assert pace.rate == 2.5
    assert pace.done_at == now + timedelta(seconds=2)
    # A minute later nothing was finished lately: whoever was sending has stopped or died.
    assert newest(sent, now=now + timedelta(minutes=1)).pace is None


def test_readers_who_wait_for_their_hour_are_told_from_those_who_wait_for_us(sent: Paper) -> None:
    sent.run("update deliveries set state = 'queued', finished_at = null where id <= 5")
    sent.run("update deliveries set due_at = '2026-03-12T09:00:00Z' where id in (1, 2)")
    sent.run("update deliveries set due_at = '2026-03-12T08:00:00Z' where id = 3")
    sent.run("update deliveries set due_at = '2026-03-12T06:00:00Z' where id = 4")
    tally = newest(sent).tally
    assert tally.counts[DeliveryState.QUEUED] == 5
    assert tally.not_yet_due == 3
    assert tally.next_due_at == datetime(2026, 3, 12, 8, tzinfo=UTC)


def test_the_next_try_is_that_of_the_first_deferred_reader(sent: Paper) -> None:
    sent.run(
        "update deliveries set state = 'deferred', finished_at = null, reply = '451 later',"
        " next_attempt_at = '2026-03-12T07:' || (10 + id) || ':00Z' where id in (3, 4)"
    )
    found = newest(sent)
    assert found.tally.next_attempt_at == datetime(2026, 3, 12, 7, 13, tzinfo=UTC)
    assert found.unfinished[0].next_at == found.tally.next_attempt_at


def test_what_wants_eyes_comes_first_and_no_more_are_read_than_are_listed(sent: Paper) -> None:
    sent.run(
        "update deliveries set state = 'queued', finished_at = null, reply = null where id > 2"
    )
    sent.run("update deliveries set state = 'rejected', reply = '550 no' where id in (7, 8)")
    sent.run("update deliveries set state = 'unknown', reply = 'lost' where id = 9")
    found = newest(sent, listed=4)
    assert [(one.email, str(one.state)) for one in found.unfinished] == [
        ("reader9@example.com", "unknown"),
        ("reader7@example.com", "rejected"),
        ("reader8@example.com", "rejected"),
        ("reader3@example.com", "queued"),
    ]
    assert found.missing == 8
    assert [(one.readers, one.reply) for one in found.reasons.first] == [
        (5, ""),
        (2, "550 no"),
        (1, "lost"),
    ]
    assert found.reasons.different == 3


def test_of_pruned_deliveries_the_totals_are_counted(sent: Paper) -> None:
    sent.run("delete from deliveries where id <= 9")
    sent.run("insert into delivery_totals values (1, 'sent', 8), (1, 'rejected', 1)")
    found = newest(sent)
    assert found.counts[DeliveryState.SENT] == 9
    assert found.counts[DeliveryState.REJECTED] == 1
    assert not found.complete


def on_record(paper: Paper, days: int, state: SlotState, reason: str = "") -> None:
    at = NOW + timedelta(days=days)
    slot = Slot(newsletter="daily", name=f"{at:%Y-%m-%dT%H:%M}", at=at)
    with open_database(paper.settings.database) as db:
        slots.add(db, SlotRecord(slot=slot, state=state, reason=reason), at)


def test_slots_without_an_edition_are_told_with_their_reasons_newest_first(sent: Paper) -> None:
    on_record(sent, -20, SlotState.DUE, "No. 1 is still being sent")
    for days in range(-9, 0):
        on_record(sent, days, SlotState.SKIPPED, "2 of 4 articles")
    on_record(sent, 0, SlotState.DUE)  # it has the edition of this very time
    on_record(sent, 1, SlotState.FAILED, "the template does not parse")
    told = asked(sent).slots
    assert [record.slot.name[5:10] for record in told] == [
        "03-13", "03-11", "03-10", "03-09", "03-08", "03-07", "02-20",
    ]  # fmt: skip
    assert told[0].reason == "the template does not parse"


@pytest.mark.parametrize(
    ("timing", "holds"),
    [
        (Timing(approval=True), True),
        (Timing(approval=True, on_silence=OnSilence.SEND), False),
        (Timing(), False),
    ],
)
def test_a_draft_that_nobody_decided_on_holds_when_its_hour_has_come_and_not_before(
    sent: Paper, timing: Timing, *, holds: bool
) -> None:
    newsletter = replace(sent.newsletter, timing=timing)
    paper = Paper(replace(sent.settings, newsletters={"daily": newsletter}))
    lead = DraftItem(article_id=1, placement=Placement.LEAD)
    slot = Slot(newsletter="daily", name="2026-03-13T07:00", at=NOW + timedelta(days=1))
    with open_database(paper.settings.database) as db:
        drafts.add(db, slot, DraftContents(placed=(lead,)), NOW)
    assert not asked(paper).held
    assert asked(paper, now=NOW + timedelta(days=1)).held is holds


def test_a_stopped_edition_is_held(sent: Paper) -> None:
    sent.run("update editions set state = 'prepared', stopped_at = '2026-03-12T07:00:00Z'")
    assert asked(sent).held
