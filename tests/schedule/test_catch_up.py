from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.model.newsletter import Newsletter
from digest.model.schedule import CatchUp, Timing
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.schedule.catch_up import GRACE, decide_slots, overdue
from digest.schedule.parse import parse_schedule

SEVEN = datetime(2026, 3, 12, 7, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def slot(days: int = 0) -> Slot:
    at = SEVEN + days * DAY
    return Slot(newsletter="daily", name=at.strftime("%Y-%m-%dT%H:%M"), at=at)


def newsletter(
    catch_up: CatchUp = CatchUp.COLLAPSE, max_lateness: timedelta | None = None
) -> Newsletter:
    return Newsletter(
        key="daily",
        title="The Morning Tide",
        sender_name="Harbour Gazette",
        sender_address="tide@gazette.example",
        language="en",
        timezone=ZoneInfo("Etc/UTC"),
        schedule=parse_schedule(["daily at 07:00"]),
        timing=Timing(catch_up=catch_up, max_lateness=max_lateness),
    )


def states(records: list[SlotRecord]) -> list[tuple[str, str]]:
    return [(record.slot.name[:10], record.state.value) for record in records]


@pytest.mark.parametrize("catch_up", list(CatchUp))
def test_a_slot_that_has_just_come_is_due(catch_up: CatchUp) -> None:
    found = list(decide_slots(newsletter(catch_up), [], [slot()], SEVEN + GRACE))

    assert states(found) == [("2026-03-12", "due")]


def test_after_five_hours_of_downtime_the_edition_is_made_up_for() -> None:
    found = list(decide_slots(newsletter(), [], [slot()], SEVEN + 5 * HOUR))

    assert states(found) == [("2026-03-12", "due")]


def test_or_it_is_skipped_as_configured() -> None:
    (found,) = decide_slots(newsletter(CatchUp.SKIP), [], [slot()], SEVEN + 5 * HOUR)

    assert found.state is SlotState.SKIPPED
    assert found.reason == "`digest run` was not running until 5 hours after its time"


def test_several_missed_slots_collapse_into_the_last_one() -> None:
    found = list(
        decide_slots(newsletter(), [], [slot(0), slot(1), slot(2)], SEVEN + 2 * DAY + HOUR)
    )

    assert states(found) == [
        ("2026-03-12", "skipped"),
        ("2026-03-13", "skipped"),
        ("2026-03-14", "due"),
    ]
    assert {record.made_up_in for record in found[:2]} == {"2026-03-14T07:00"}


def test_a_missed_slot_collapses_into_one_that_comes_before_its_time() -> None:
    # The draft of the next slot is made already: an old edition would take everything from it.
    found = list(decide_slots(newsletter(), [], [slot(0), slot(1)], SEVEN + DAY - 2 * HOUR))

    assert states(found) == [("2026-03-12", "skipped"), ("2026-03-13", "due")]


def test_replaying_gives_each_missed_slot_its_own_edition() -> None:
    found = list(
        decide_slots(newsletter(CatchUp.REPLAY), [], [slot(0), slot(1)], SEVEN + DAY + HOUR)
    )

    assert states(found) == [("2026-03-12", "due"), ("2026-03-13", "due")]


def test_replaying_stops_at_the_lateness_that_is_allowed() -> None:
    rules = newsletter(CatchUp.REPLAY, max_lateness=3 * HOUR)
    found = list(decide_slots(rules, [], [slot(0), slot(1)], SEVEN + DAY + HOUR))

    assert states(found) == [("2026-03-12", "skipped"), ("2026-03-13", "due")]
    assert found[0].reason == "25 hours late, and max_lateness is 3 hours"


def test_an_earlier_slot_that_waited_is_made_up_for_in_the_new_one() -> None:
    waited = SlotRecord(slot=slot(0), state=SlotState.DUE, reason="No. 7 is stopped")
    found = list(decide_slots(newsletter(), [waited], [slot(1)], SEVEN + DAY))

    assert states(found) == [("2026-03-12", "skipped"), ("2026-03-13", "due")]
    assert found[0].reason == "No. 7 is stopped; made up for in 2026-03-13T07:00"
    assert found[0].made_up_in == "2026-03-13T07:00"


def test_an_earlier_slot_that_was_tried_in_vain_has_failed() -> None:
    tried = SlotRecord(slot=slot(0), state=SlotState.DUE, reason="lead.html: line 3", tries=4)
    found = list(decide_slots(newsletter(), [tried], [slot(1)], SEVEN + DAY))

    assert states(found) == [("2026-03-12", "failed"), ("2026-03-13", "due")]
    assert found[0].reason == "lead.html: line 3"


def test_while_nothing_comes_nothing_changes() -> None:
    tried = SlotRecord(slot=slot(0), state=SlotState.DUE, reason="lead.html: line 3", tries=4)

    assert list(decide_slots(newsletter(), [tried], [], SEVEN + HOUR)) == []


def test_a_slot_is_tried_until_its_lateness_is_over() -> None:
    rules = newsletter(max_lateness=2 * HOUR)
    tried = SlotRecord(slot=slot(), state=SlotState.DUE, reason="lead.html: line 3", tries=4)

    assert overdue(rules, tried, SEVEN + 2 * HOUR) is None
    assert overdue(rules, tried, SEVEN + 2 * HOUR + timedelta(seconds=1)) == replace(
        tried, state=SlotState.FAILED
    )


def test_a_monthly_that_failed_on_the_first_is_tried_until_the_next_month() -> None:
    tried = SlotRecord(slot=slot(), state=SlotState.DUE, reason="lead.html: line 3", tries=40)

    assert overdue(newsletter(), tried, SEVEN + 30 * DAY) is None


def test_a_slot_that_was_claimed_before_a_crash_is_missed_all_the_same() -> None:
    claimed = SlotRecord(slot=slot(), state=SlotState.DUE)
    found = overdue(newsletter(CatchUp.SKIP), claimed, SEVEN + 5 * HOUR)

    assert found is not None
    assert found.state is SlotState.SKIPPED
