"""The plan: what comes, and what is missing for it. Nothing is written."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digest.model.newsletter import Rules
from digest.model.schedule import DeliverAt, Timing
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.publishing.drafts.lifecycle import make_draft
from digest.publishing.editions.due_times import next_due_time
from digest.schedule.parse import parse_schedule
from digest.scheduler.plan import NewsletterPlan, plan
from digest.storage import slots, subscriptions
from digest.storage.database import Access, open_database
from digest.storage.locks import Lease
from tests.publishing.paper import NOW, Paper, paper_in

#: A Thursday, 07:00 in London.
assert NOW.strftime("%a") == "Thu"


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    """A newsletter for each weekday at 07:00, with an article and two readers."""
    made = scheduled(paper_in(tmp_path), "weekdays at 07:00")
    made.publish("Ferry late")
    made.subscribe("ada@example.com", "ben@example.com")
    return made


def scheduled(
    paper: Paper, *lines: str, off: tuple[date, ...] = (), timing: Timing | None = None
) -> Paper:
    changed = replace(
        paper.newsletter,
        schedule=parse_schedule(lines, off) if lines else None,
        timing=timing or Timing(),
    )
    return Paper(replace(paper.settings, newsletters={changed.key: changed}))


def planned(paper: Paper, *, now: datetime = NOW, days: int = 7) -> NewsletterPlan:
    (one,) = plan(paper.settings, [paper.newsletter], now=now, days=days).newsletters
    return one


def on_record(paper: Paper, at: datetime, state: SlotState, reason: str = "") -> Slot:
    slot = Slot(newsletter="daily", name=f"{at:%Y-%m-%dT%H:%M}", at=at)
    with open_database(paper.settings.database) as db:
        slots.add(db, SlotRecord(slot=slot, state=state, reason=reason), NOW)
    return slot


def test_the_slots_of_the_next_days_are_listed(paper: Paper) -> None:
    assert [one.slot.name for one in planned(paper, days=4).coming] == [
        "2026-03-13T07:00",
        "2026-03-16T07:00",
    ]


def test_the_next_slot_is_shown_however_far_away(paper: Paper) -> None:
    monthly = scheduled(paper, "monthly on the 1st at 09:00")
    assert [one.slot.name for one in planned(monthly, days=1).coming] == ["2026-04-01T09:00"]


def test_a_day_off_is_told_only_where_it_takes_a_slot_away(paper: Paper) -> None:
    saturday, monday, next_year = date(2026, 3, 14), date(2026, 3, 16), date(2027, 3, 15)
    resting = scheduled(paper, "weekdays at 07:00", off=(saturday, monday, next_year))
    found = planned(resting)
    assert found.days_off == (monday,)
    assert "2026-03-16T07:00" not in {one.slot.name for one in found.coming}


def test_the_first_and_the_last_reader_are_those_of_the_zones(paper: Paper) -> None:
    far = scheduled(paper, "weekdays at 07:00", timing=Timing(deliver_at=DeliverAt.READER))
    far.run("update subscribers set timezone = 'Pacific/Auckland' where id = 1")
    first = planned(far).coming[0]
    assert first.first == datetime(2026, 3, 12, 18, tzinfo=UTC)
    assert first.last == datetime(2026, 3, 13, 7, tzinfo=UTC)


def test_what_was_skipped_ahead_or_is_put_off_is_part_of_it(paper: Paper) -> None:
    on_record(paper, NOW + timedelta(days=1), SlotState.SKIPPED, "a holiday")
    on_record(paper, NOW - timedelta(days=1), SlotState.DUE, "No. 1 is still being sent")
    on_record(paper, NOW - timedelta(days=2), SlotState.FAILED, "the template does not parse")
    states = [one.record and str(one.record.state) for one in planned(paper, days=4).coming]
    assert states == ["due", "skipped", None]


def test_a_draft_is_part_of_it_and_its_stories_are_those_expected(paper: Paper) -> None:
    approved = scheduled(paper, "weekdays at 07:00", timing=Timing(approval=True))
    tomorrow = NOW + timedelta(days=1)
    assert planned(approved).coming[0].draft_at == tomorrow - timedelta(hours=2)
    slot = Slot(newsletter="daily", name="2026-03-13T07:00", at=tomorrow)
    with open_database(approved.settings.database) as db:
        make_draft(db, approved.settings, approved.newsletter, slot, now=NOW)
    approved.publish("Library open")
    found = planned(approved)
    assert found.coming[0].draft is not None
    assert found.stories == 1


def test_readers_and_stories_are_counted_as_an_edition_now_would_have_them(paper: Paper) -> None:
    paper.publish("Library open", "Bridge shut")
    paper.subscribe("cleo@example.com", state="paused")
    found = planned(paper)
    assert (found.readers, found.stories, found.missing) == (2, 3, ())


def test_a_plan_writes_nothing(paper: Paper) -> None:
    before = dump(paper)
    planned(paper)
    assert dump(paper) == before


def dump(paper: Paper) -> list[str]:
    with closing(sqlite3.connect(paper.settings.database)) as db:
        return list(db.iterdump())


def test_too_few_stories_are_missing(paper: Paper) -> None:
    few = paper.with_rules(Rules(min_items=4))
    found = planned(few)
    assert found.stories is None
    assert found.missing == (
        "no edition would be made now: 1 new story, and an edition needs 4 (min_items)",
    )


def test_readers_an_address_and_a_schedule_are_missing(tmp_path: Path) -> None:
    bare = paper_in(tmp_path)
    bare.publish("Ferry late")
    site = replace(bare.settings.site, postal_address="")
    found = planned(Paper(replace(bare.settings, site=site)))
    assert found.coming == ()
    assert [sentence.split(":")[0] for sentence in found.missing] == [
        "no schedule, so it is sent by hand only",
        "no postal address, without which nothing is sent",
        "no active readers; `digest subscribers add` or `import` adds some",
    ]


def test_a_schedule_that_has_come_to_its_end_is_told(paper: Paper) -> None:
    found = planned(paper, now=datetime(9999, 12, 20, tzinfo=UTC), days=1)
    assert found.coming
    over = planned(paper, now=datetime(9999, 12, 29, 12, tzinfo=UTC), days=1)
    assert over.coming == ()
    assert over.missing[0] == "the schedule has no more slots: weekdays at 07:00"


def test_a_stopped_edition_stands_in_the_way(paper: Paper) -> None:
    paper.sent(now=NOW)
    paper.run("update editions set state = 'prepared', stopped_at = '2026-03-12T07:00:00Z'")
    assert any("No. 1 is stopped" in sentence for sentence in planned(paper).missing)


def test_a_template_that_does_not_render_is_missing(paper: Paper) -> None:
    broken = replace(paper.newsletter, subject="{{ nobody.knows }}")
    told = planned(Paper(replace(paper.settings, newsletters={"daily": broken}))).missing
    assert [sentence.split(":")[0] for sentence in told] == ["the next edition cannot be rendered"]


def test_who_is_at_work_is_told_as_long_as_it_is(paper: Paper) -> None:
    assert plan(paper.settings, [paper.newsletter], now=NOW, days=1).service is None
    with Lease(paper.settings.database) as lease:
        assert lease.take(NOW) is not None
        service = plan(paper.settings, [paper.newsletter], now=NOW, days=1).service
        assert service is not None
        assert service.startswith(f"process {os.getpid()} on ")
    assert plan(paper.settings, [paper.newsletter], now=NOW, days=1).service is None


def test_a_service_that_was_killed_is_not_believed_to_be_running(paper: Paper) -> None:
    with Lease(paper.settings.database) as lease:
        assert lease.take(NOW) is not None
    # As a container leaves it whose processes nobody here can see.
    card = paper.settings.database.with_name("subscribers.db.run.json")
    card.write_text(
        '{"pid": 12345, "host": "another-container", "since": "2026-03-12T06:00:00Z"}',
        encoding="utf-8",
    )
    assert plan(paper.settings, [paper.newsletter], now=NOW, days=1).service is None
    assert card.exists()


def test_a_running_service_that_is_not_known_by_name_is_told(paper: Paper) -> None:
    with Lease(paper.settings.database) as lease:
        assert lease.take(NOW) is not None
        paper.settings.database.with_name("subscribers.db.run.json").unlink()
        service = plan(paper.settings, [paper.newsletter], now=NOW, days=1).service
    assert service == "another process"


def next_of(paper: Paper, *, now: datetime = NOW) -> datetime | None:
    with open_database(paper.settings.database, Access.READ) as db:
        ada = subscriptions.find(db, "daily", "ada@example.com")
        assert ada is not None
        return next_due_time(db, paper.newsletter, ada, now)


def test_a_reader_gets_the_next_edition_that_is_not_made_yet(paper: Paper) -> None:
    assert next_of(paper) == datetime(2026, 3, 13, 7, tzinfo=UTC)
    on_record(paper, NOW + timedelta(days=1), SlotState.SKIPPED, "a holiday")
    assert next_of(paper) == datetime(2026, 3, 16, 7, tzinfo=UTC)


def test_a_reader_far_away_gets_it_in_the_morning_there(paper: Paper) -> None:
    far = scheduled(paper, "weekdays at 07:00", timing=Timing(deliver_at=DeliverAt.READER))
    far.run("update subscribers set timezone = 'Pacific/Honolulu' where id = 1")
    # In Honolulu it is Wednesday still: Thursday's edition is to come, unless it was made.
    now = datetime(2026, 3, 12, 8, tzinfo=UTC)
    assert next_of(far, now=now) == datetime(2026, 3, 12, 17, tzinfo=UTC)
    on_record(far, NOW, SlotState.SKIPPED, "2 of 4 articles")
    assert next_of(far, now=now) == datetime(2026, 3, 13, 17, tzinfo=UTC)


def test_without_a_schedule_or_an_active_subscription_nothing_is_due(paper: Paper) -> None:
    assert next_of(scheduled(paper)) is None
    paper.run("update subscriptions set state = 'paused' where subscriber_id = 1")
    assert next_of(paper) is None
