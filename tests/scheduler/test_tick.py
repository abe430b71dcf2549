from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

from digest.errors import RelayUnavailable
from digest.model.delivery import Deferred, Outcome
from digest.model.schedule import CatchUp, DeliverAt, QuietHours, Timing
from digest.publishing.maintenance import audit
from digest.publishing.send import stop
from digest.schedule.parse import parse_schedule
from digest.scheduler.events import DeliveryRunEnded, SlotChanged, StepFailed
from digest.sender.message_data import Envelope
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport
from tests.scheduler.ticking import Service, service_in


def stocked(service: Service, *readers: str) -> Service:
    """With articles of the hours before 12 March 07:00, and readers."""
    service.paper.publish("Harbour wall to be rebuilt", hours=1)
    service.paper.publish("Council votes on the ferry", hours=5)
    service.paper.subscribe(*(readers or ("ada@example.com", "bob@example.com")))
    return service


def test_a_schedule_is_followed_from_the_first_tick_on(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))

    assert service.results("2026-03-12T07:00:05Z") == {}
    assert service.slots() == {}
    assert service.transport.attempts == []


def test_an_edition_leaves_at_its_slot_and_only_once(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T06:59:59Z") == {}
    assert service.results("2026-03-12T07:00:00Z") == {"prepared": 1, "served": 1}
    assert service.results("2026-03-12T07:00:05Z") == {}
    assert service.received() == ["ada@example.com", "bob@example.com"]
    assert service.slots() == {"2026-03-12T07:00": "prepared"}
    assert audit(service.paper.settings).breaches == ()


def test_a_slot_with_too_few_articles_is_skipped_and_says_so(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.subscribe("ada@example.com")
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T07:00:00Z") == {"skipped": 1}
    assert service.reason("2026-03-12T07:00") == (
        "there are no articles yet; `digest ingest` adds some"
    )
    assert service.results("2026-03-12T07:00:05Z") == {}


def test_five_hours_of_downtime_are_made_up_for_with_what_the_slot_would_have_held(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")
    service.paper.publish("Found at noon", hours=-4)

    assert service.results("2026-03-12T12:00:00Z") == {"prepared": 1, "served": 1}
    assert service.paper.value("select count(*) from stories") == 2
    assert service.paper.value("select cutoff from editions") == "2026-03-12T07:00:00Z"


def test_or_they_are_skipped_as_configured(tmp_path: Path) -> None:
    timing = Timing(catch_up=CatchUp.SKIP)
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=timing))
    service.tick("2026-03-12T06:00:00Z")

    service.tick("2026-03-12T12:00:00Z")

    assert service.slots() == {"2026-03-12T07:00": "skipped"}
    assert service.received() == []


def test_one_edition_for_all_that_was_missed_reaches_back_for_all_of_it(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")
    service.paper.publish("News of the weekend", hours=-70)

    service.tick("2026-03-17T08:00:00Z")

    assert list(service.slots().values()) == ["skipped"] * 5 + ["prepared"]
    # max_age is two days, but what the 12th would have held is in.
    assert service.paper.value("select count(*) from stories") == 3
    assert service.received() == ["ada@example.com", "bob@example.com"]
    assert audit(service.paper.settings).breaches == ()


def test_replaying_makes_the_editions_that_would_have_been(tmp_path: Path) -> None:
    timing = Timing(catch_up=CatchUp.REPLAY)
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=timing))
    service.tick("2026-03-12T06:00:00Z")
    service.paper.publish("News of Thursday", hours=-3)

    service.tick("2026-03-13T08:00:00Z")

    assert service.paper.value(
        "select group_concat(n) from (select count(*) as n from stories group by edition_id)"
    ) == ("2,1")


def test_an_edition_whose_relay_is_down_goes_out_later_and_the_next_one_waits_for_it(
    tmp_path: Path,
) -> None:
    def down(envelope: Envelope, message: bytes) -> Outcome:
        raise RelayUnavailable("127.0.0.1:25 cannot be reached")

    service = stocked(service_in(tmp_path, "daily at 07:00 and 08:00"))
    service.tick("2026-03-12T06:00:00Z")
    working, service.transport = service.transport, RecordingTransport(down)

    assert service.results("2026-03-12T07:00:00Z") == {"prepared": 1, "incomplete": 1}
    service.paper.publish("Found at half past seven", hours=-0.5)
    results = service.results("2026-03-12T08:00:00Z")
    assert results["put off"] == 1
    assert service.reason("2026-03-12T08:00") == "No. 1 is still being sent"

    service.transport = working
    assert service.results("2026-03-12T08:40:00Z") == {"served": 2, "prepared": 1}
    assert len(service.received()) == 4
    assert audit(service.paper.settings).breaches == ()


def test_a_server_that_is_at_fault_is_not_asked_at_every_tick(tmp_path: Path) -> None:
    def down(envelope: Envelope, message: bytes) -> Outcome:
        raise RelayUnavailable("127.0.0.1:25 cannot be reached")

    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")
    service.transport = RecordingTransport(down)

    ticks = [f"2026-03-12T{7 + n // 720:02}:{n // 12 % 60:02}:{n % 12 * 5:02}Z" for n in range(720)]
    for at in ticks:
        service.tick(at)

    rounds = [event for event in service.events if isinstance(event, DeliveryRunEnded)]
    assert 5 <= len(rounds) <= 20


def test_a_stopped_edition_keeps_its_successors_waiting(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.transport = RecordingTransport(
        lambda envelope, message: Deferred(reason="try again later")
    )
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:00Z")
    stop(service.paper.settings, service.newsletter, now=NOW)
    service.paper.publish("Later news", hours=-5)

    service.tick("2026-03-13T07:00:00Z")

    assert service.slots()["2026-03-13T07:00"] == "due"
    assert service.reason("2026-03-13T07:00") == ("No. 1 is stopped; `digest resume` continues it")


def test_who_is_deferred_is_tried_again_at_their_hour_without_being_asked(tmp_path: Path) -> None:
    answers = {"ada@example.com": Deferred(reason="greylisted")}
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.transport = RecordingTransport(answers)
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:00Z")
    service.transport = RecordingTransport()

    assert service.results("2026-03-12T07:00:05Z") == {}
    assert service.results("2026-03-12T10:00:00Z") == {"served": 1}
    assert service.received() == ["ada@example.com"]
    assert service.paper.value("select state from editions") == "sent"


def test_a_slot_that_fails_is_tried_again_ever_more_rarely_and_then_goes_out(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    template = tmp_path / "templates" / "email" / "digest.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% if %}")
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T07:00:00Z") == {"put off": 1}
    assert "digest.html" in str(service.reason("2026-03-12T07:00"))
    assert service.results("2026-03-12T07:00:30Z") == {}
    assert service.results("2026-03-12T07:01:00Z") == {"put off": 1}
    assert service.results("2026-03-12T07:02:30Z") == {}
    template.unlink()
    assert service.results("2026-03-12T07:03:00Z") == {"prepared": 1, "served": 1}


def test_a_slot_that_was_tried_until_the_next_one_came_has_failed(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    template = tmp_path / "templates" / "email" / "digest.html"
    template.parent.mkdir(parents=True)
    template.write_text("{% if %}")
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:00Z")

    service.tick("2026-03-13T07:00:00Z")

    assert service.slots() == {"2026-03-12T07:00": "failed", "2026-03-13T07:00": "due"}
    assert audit(service.paper.settings).breaches == ()


def test_trouble_with_one_newsletter_keeps_no_other_from_its_hour(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    settings = service.paper.settings
    bare = replace(settings.site, postal_address="")
    service.paper = Paper(replace(settings, site=bare))
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T07:00:00Z") == {"put off": 1, "troubled": 1}
    assert [type(event) for event in service.events] == [SlotChanged, SlotChanged, StepFailed]
    assert "postal address" in str(service.reason("2026-03-12T07:00"))


def test_an_edition_that_somebody_sent_by_hand_at_the_very_time_is_the_slots(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")
    assert len(service.paper.sent(now=NOW)) == 2

    assert service.results("2026-03-12T07:00:00Z") == {}
    assert service.slots() == {"2026-03-12T07:00": "prepared"}
    assert service.received() == []
    assert audit(service.paper.settings).breaches == ()


def test_a_clock_that_jumps_ahead_and_back_neither_loses_a_slot_nor_doubles_one(
    tmp_path: Path,
) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.paper.publish("News of Thursday", hours=-3)
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-13T08:00:00Z")  # a day ahead
    service.tick("2026-03-12T07:00:00Z")  # and back
    service.tick("2026-03-13T07:00:00Z")
    service.paper.publish("News of Friday", hours=-30)
    service.tick("2026-03-14T07:00:00Z")

    assert service.slots() == {
        "2026-03-12T07:00": "skipped",
        "2026-03-13T07:00": "prepared",
        "2026-03-14T07:00": "prepared",
    }
    assert len(service.received()) == 4
    assert audit(service.paper.settings).breaches == ()


def test_a_day_off_has_no_slot(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    newsletter = replace(
        service.newsletter, schedule=parse_schedule(["daily at 07:00"], [NOW.date()])
    )
    service.paper = Paper(replace(service.paper.settings, newsletters={"daily": newsletter}))
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T07:00:00Z") == {}
    assert service.results("2026-03-13T07:00:00Z") == {"prepared": 1, "served": 1}


def test_a_schedule_that_comes_back_after_a_while_begins_anew(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    with_schedule = service.paper
    service.tick("2026-03-12T06:00:00Z")
    without = replace(service.newsletter, schedule=None)
    service.paper = Paper(replace(with_schedule.settings, newsletters={"daily": without}))
    service.tick("2026-03-12T06:30:00Z")
    service.paper = with_schedule

    assert service.results("2026-03-20T12:00:00Z") == {}
    assert service.slots() == {}


# --- the reader's morning ---

READERS = Timing(deliver_at=DeliverAt.READER)


def abroad(service: Service, **zones: str) -> Service:
    """With a reader for each zone, and one who gave none."""
    service.paper.publish("Harbour wall to be rebuilt", hours=20)
    service.paper.subscribe("nowhere@example.com", *(f"{name}@example.com" for name in zones))
    for name, zone in zones.items():
        service.paper.run(
            "update subscribers set timezone = ? where email = ?", zone, f"{name}@example.com"
        )
    return service


def test_each_reader_is_due_at_seven_in_the_morning_of_their_own(tmp_path: Path) -> None:
    service = abroad(
        service_in(tmp_path, "daily at 07:00", timing=READERS),
        tokyo="Asia/Tokyo",
        newyork="America/New_York",
        lost="Atlantis/Capital",
    )
    service.tick("2026-03-11T12:00:00Z")

    assert service.results("2026-03-11T21:59:59Z") == {}
    assert service.results("2026-03-11T22:00:00Z") == {"prepared": 1, "served": 1}
    assert service.received() == ["tokyo@example.com"]
    service.tick("2026-03-12T06:59:00Z")
    assert service.received() == ["tokyo@example.com"]
    service.tick("2026-03-12T07:00:00Z")
    assert service.received()[1:] == ["nowhere@example.com", "lost@example.com"]
    assert service.paper.value("select state from editions") == "prepared"
    service.tick("2026-03-12T11:00:00Z")
    assert service.received()[3:] == ["newyork@example.com"]
    assert service.paper.value("select state from editions") == "sent"
    assert audit(service.paper.settings).breaches == ()


def test_a_night_in_which_nobody_was_due_does_not_make_a_short_outage_a_long_one(
    tmp_path: Path,
) -> None:
    def down(envelope: Envelope, message: bytes) -> Outcome:
        raise RelayUnavailable("127.0.0.1:25 cannot be reached")

    service = abroad(service_in(tmp_path, "daily at 07:00", timing=READERS), tokyo="Asia/Tokyo")
    service.tick("2026-03-11T12:00:00Z")
    service.tick("2026-03-11T22:00:00Z")
    working, service.transport = service.transport, RecordingTransport(down)
    assert service.results("2026-03-12T07:00:00Z") == {"incomplete": 1}

    service.transport = working
    assert service.results("2026-03-12T07:01:00Z") == {"served": 1}
    assert service.received() == ["tokyo@example.com", "nowhere@example.com"]


def test_a_reader_who_joins_in_between_gets_the_next_edition(tmp_path: Path) -> None:
    service = abroad(service_in(tmp_path, "daily at 07:00", timing=READERS), tokyo="Asia/Tokyo")
    service.tick("2026-03-11T12:00:00Z")
    service.tick("2026-03-11T22:00:00Z")
    service.paper.subscribe("late@example.com")

    service.tick("2026-03-12T07:00:00Z")
    assert "late@example.com" not in service.received()
    service.paper.publish("News of the next day", hours=-8)
    service.tick("2026-03-13T07:00:00Z")
    assert "late@example.com" in service.received()


def test_the_next_edition_does_not_wait_for_readers_far_in_the_west(tmp_path: Path) -> None:
    service = abroad(
        service_in(tmp_path, "daily at 07:00", timing=READERS),
        east="Pacific/Kiritimati",
        west="Pacific/Pago_Pago",
    )
    service.tick("2026-03-11T12:00:00Z")
    service.tick("2026-03-11T17:00:00Z")
    service.paper.publish("News of the next day", hours=-8)
    service.tick("2026-03-12T07:00:00Z")

    assert service.results("2026-03-12T17:00:00Z") == {"prepared": 1, "served": 1}
    assert service.received().count("east@example.com") == 2
    assert service.received().count("west@example.com") == 0


def test_nothing_leaves_in_quiet_hours(tmp_path: Path) -> None:
    timing = Timing(quiet_hours=QuietHours(begin=time(21), end=time(8)))
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=timing))
    service.tick("2026-03-12T06:00:00Z")

    assert service.results("2026-03-12T07:00:00Z") == {"prepared": 1}
    assert service.results("2026-03-12T07:59:59Z") == {}
    assert service.results("2026-03-12T08:00:00Z") == {"served": 1}
    assert len(service.received()) == 2


def test_quiet_hours_are_the_readers_own_where_the_hour_is(tmp_path: Path) -> None:
    timing = Timing(
        deliver_at=DeliverAt.READER, quiet_hours=QuietHours(begin=time(21), end=time(8))
    )
    service = abroad(service_in(tmp_path, "daily at 09:00", timing=timing), tokyo="Asia/Tokyo")
    service.tick("2026-03-11T12:00:00Z")
    # Made up for after a night without us: it is noon in London, and nine in the evening in Tokyo.
    service.tick("2026-03-12T12:00:00Z")
    assert service.received() == ["nowhere@example.com"]

    service.tick("2026-03-12T23:00:00Z")
    assert service.received() == ["nowhere@example.com", "tokyo@example.com"]


# --- the editor's hand ---


def test_a_draft_waits_for_its_editor_and_is_held_by_default(tmp_path: Path) -> None:
    timing = Timing(approval=True, lead_time=timedelta(hours=2))
    service = stocked(service_in(tmp_path, "daily at 07:00", timing=timing))
    service.tick("2026-03-12T04:00:00Z")

    assert service.results("2026-03-12T05:00:00Z") == {"drafted": 1}
    assert service.results("2026-03-12T06:59:00Z") == {}
    assert service.results("2026-03-12T07:00:00Z") == {"held": 1}
    assert service.received() == []
    assert audit(service.paper.settings).breaches == ()


def test_a_round_that_ended_is_told(tmp_path: Path) -> None:
    service = stocked(service_in(tmp_path, "daily at 07:00"))
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:00Z")

    assert [type(event) for event in service.events] == [SlotChanged, SlotChanged, DeliveryRunEnded]
