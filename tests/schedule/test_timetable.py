from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from digest.model.newsletter import Newsletter
from digest.model.schedule import Schedule
from digest.model.slot import Slot
from digest.schedule.parse import parse_schedule
from digest.schedule.timetable import next_slot, slots_after, slots_between

#: Zones whose clocks do more than most: half an hour, two hours, at midnight, over Ramadan, a day.
AWKWARD = [
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/New_York",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
]
#: What went over the date line in 2011, and the day that it left out.
OVER_THE_DATE_LINE = {"Pacific/Apia", "Pacific/Fakaofo"}
LEFT_OUT = date(2011, 12, 30)
BEGIN, END = date(2010, 1, 1), date(2030, 1, 1)
DAYS = [BEGIN + timedelta(days=n) for n in range((END - BEGIN).days)]
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def newsletter(zone: str, *lines: str, schedule: Schedule | None = None) -> Newsletter:
    return Newsletter(
        key="daily",
        title="Example News",
        sender_name="Example News",
        sender_address="news@example.com",
        language="en",
        timezone=ZoneInfo(zone),
        schedule=schedule or parse_schedule(lines),
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(slots: tuple[Slot, ...]) -> list[tuple[str, str]]:
    """Each slot's name, and what a clock in UTC shows."""
    return [(slot.name, f"{slot.at:%Y-%m-%dT%H:%M}") for slot in slots]


def days_of(zone: ZoneInfo) -> set[date]:
    """The days that the clocks of a zone do show, looked at every six hours."""
    first = datetime.combine(BEGIN, time(), tzinfo=UTC)
    instants = (first + n * 6 * HOUR for n in range(4 * len(DAYS)))
    return {instant.astimezone(zone).date() for instant in instants}


def offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the clocks of a zone are ahead of UTC."""
    return instant.astimezone(zone).replace(tzinfo=None) - instant.replace(tzinfo=None)


def check_twenty_years_of(zone: ZoneInfo, moments: list[time]) -> None:
    """Every wall time is one slot, at its own instant."""
    times = " and ".join(f"{moment:%H:%M}" for moment in moments)
    begin = datetime.combine(BEGIN, time(), tzinfo=UTC) - 2 * DAY
    until = datetime.combine(END, time(), tzinfo=UTC) + 2 * DAY

    every = slots_between(newsletter(zone.key, f"daily at {times}"), begin, until)

    slots = [slot for slot in every if BEGIN <= slot.wall.date() < END]
    days = days_of(zone)
    expected = [f"{day}T{moment:%H:%M}" for day in DAYS if day in days for moment in moments]
    assert sorted(slot.name for slot in slots) == expected
    assert all((a.at, a.name) < (b.at, b.name) for a, b in pairwise(slots))
    for slot in slots:
        there = slot.at.astimezone(zone)
        late = there.replace(tzinfo=None) - slot.wall
        if late:  # spring leaves the wall time out: by what the clocks were put forward
            assert late == offset(slot.at, zone) - offset(slot.at - 4 * HOUR, zone)
            around = (slot.at + n * HOUR / 60 for n in range(-240, 241))
            assert slot.wall not in {at.astimezone(zone).replace(tzinfo=None) for at in around}
        else:
            assert there.fold == 0, "the first of the two in autumn"


@pytest.mark.parametrize("zone", AWKWARD)
def test_each_wall_time_of_twenty_years_is_one_slot_where_clocks_are_awkward(zone: str) -> None:
    check_twenty_years_of(ZoneInfo(zone), [time(0, 30), time(1, 30), time(2, 30)])


@given(
    ZONES,
    st.times(time(), time(23, 59)).map(lambda moment: moment.replace(second=0, microsecond=0)),
)
@settings(max_examples=20, deadline=None, phases=[Phase.generate])
def test_each_wall_time_of_twenty_years_is_one_slot_in_any_zone(zone: str, moment: time) -> None:
    check_twenty_years_of(ZoneInfo(zone), [moment])


@pytest.mark.parametrize(
    ("zone", "line", "day", "slots"),
    [
        # Spring: the wall time is left out, and the slot as late as the clocks are put forward.
        ("America/New_York", "daily at 02:30", "2026-03-08", [("02:30", "2026-03-08T07:30")]),
        ("Europe/London", "daily at 01:30", "2026-03-29", [("01:30", "2026-03-29T01:30")]),
        ("Australia/Lord_Howe", "daily at 02:15", "2026-10-04", [("02:15", "2026-10-03T15:45")]),
        ("Antarctica/Troll", "daily at 01:30", "2026-03-29", [("01:30", "2026-03-29T01:30")]),
        ("America/Sao_Paulo", "daily at 00:00", "2018-11-04", [("00:00", "2018-11-04T03:00")]),
        # Autumn: the clocks show it twice, and the slot is the first of the two.
        ("America/New_York", "daily at 01:30", "2026-11-01", [("01:30", "2026-11-01T05:30")]),
        ("Europe/London", "daily at 01:30", "2026-10-25", [("01:30", "2026-10-25T00:30")]),
        ("Australia/Lord_Howe", "daily at 01:45", "2026-04-05", [("01:45", "2026-04-04T14:45")]),
        ("Europe/Dublin", "daily at 01:30", "2026-10-25", [("01:30", "2026-10-25T00:30")]),
        # No change at all.
        ("Asia/Kathmandu", "daily at 07:00", "2026-03-29", [("07:00", "2026-03-29T01:15")]),
        # Apia went over the date line, and had no 30 December 2011.
        ("Pacific/Apia", "daily at 07:00", "2011-12-29", [("07:00", "2011-12-29T17:00")]),
        ("Pacific/Apia", "daily at 07:00", "2011-12-30", []),
        ("Pacific/Apia", "daily at 07:00", "2011-12-31", [("07:00", "2011-12-30T17:00")]),
    ],
)
def test_a_change_of_the_clocks_neither_drops_nor_doubles_a_slot(
    zone: str, line: str, day: str, slots: list[tuple[str, str]]
) -> None:
    around = utc(day)
    found = slots_between(newsletter(zone, line), around - 3 * DAY, around + 3 * DAY)
    assert [(name, at) for name, at in shown(found) if name.startswith(day)] == [
        (f"{day}T{wall}", at) for wall, at in slots
    ]


def test_slots_are_in_the_order_of_their_instants_even_in_the_hour_that_is_left_out() -> None:
    daily = newsletter("America/New_York", "daily at 01:59, 02:30, 03:00 and 03:30")
    assert shown(slots_between(daily, utc("2026-03-08T05:00"), utc("2026-03-08T12:00"))) == [
        ("2026-03-08T01:59", "2026-03-08T06:59"),
        ("2026-03-08T03:00", "2026-03-08T07:00"),
        ("2026-03-08T02:30", "2026-03-08T07:30"),
        ("2026-03-08T03:30", "2026-03-08T07:30"),
    ]


def test_slots_are_in_order_where_the_last_hour_of_a_day_is_left_out() -> None:
    daily = newsletter("America/Nuuk", "daily at 23:30 and 00:10")
    assert shown(slots_between(daily, utc("2024-03-30T12:00"), utc("2024-03-31T12:00"))) == [
        ("2024-03-31T00:10", "2024-03-31T01:10"),
        ("2024-03-30T23:30", "2024-03-31T01:30"),
    ]


LINES = st.sampled_from(
    [
        "daily at 07:00",
        "daily at 00:00, 01:30, 02:30 and 23:30",
        "weekdays at 07:00",
        "sundays at 01:30 and 02:30",
        "mon, wed and fri at 00:30",
        "monthly on the 1st at 09:00",
        "monthly on the last sunday at 01:30",
        "monthly on the last day at 23:55",
        "*/20 0-3 * * *",
        "0 7 29 feb *",
    ]
)
SCHEDULES = st.builds(
    parse_schedule,
    st.lists(LINES, min_size=1, max_size=2),
    st.lists(st.dates(BEGIN, END), max_size=3),
)
INSTANTS = st.integers(0, 20 * 365 * 86_400).map(
    lambda seconds: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(SCHEDULES, st.sampled_from(AWKWARD) | ZONES, INSTANTS, st.data())
@settings(deadline=None)
def test_cut_anywhere_time_gives_the_same_slots(
    schedule: Schedule, zone: str, begin: datetime, data: st.DataObject
) -> None:
    daily = newsletter(zone, schedule=schedule)
    until = begin + timedelta(days=100)
    whole = slots_between(daily, begin, until)
    on_a_slot = [st.sampled_from([slot.at for slot in whole])] if whole else []
    anywhere = st.integers(0, 100 * 86_400).map(lambda s: begin + timedelta(seconds=s))
    cuts = data.draw(st.lists(st.one_of(anywhere, *on_a_slot), max_size=6).map(sorted))

    parts = [slots_between(daily, a, b) for a, b in pairwise([begin, *cuts, until])]

    assert tuple(slot for part in parts for slot in part) == whole
    assert next_slot(daily, begin) == next(iter(whole), next_slot(daily, until))


@given(SCHEDULES, st.sampled_from(AWKWARD) | ZONES, INSTANTS)
@settings(deadline=None)
def test_slots_are_on_the_days_of_the_rules_by_the_calendar_of_the_zone(
    schedule: Schedule, zone: str, begin: datetime
) -> None:
    found = list(islice(slots_after(newsletter(zone, schedule=schedule), begin), 20))
    first, last = begin.date() + 2 * DAY, max(slot.wall.date() for slot in found) - DAY
    whole_days = {slot.wall for slot in found if first <= slot.wall.date() < last}
    assert whole_days == {
        datetime.combine(day, moment)
        for day in (first + n * DAY for n in range((last - first).days))
        for moment in schedule.times_on(day)
        if not (day == LEFT_OUT and zone in OVER_THE_DATE_LINE)
    }
    assert all(slot.newsletter == "daily" and slot.at > begin for slot in found)


def test_a_slot_at_the_very_instant_has_come() -> None:
    daily = newsletter("UTC", "daily at 07:00")
    seven = utc("2026-03-12T07:00")
    assert [slot.at for slot in slots_between(daily, seven - DAY, seven)] == [seven]
    assert slots_between(daily, seven, seven + HOUR) == ()
    assert next_slot(daily, seven) == Slot(
        newsletter="daily", name="2026-03-13T07:00", at=utc("2026-03-13T07:00")
    )


def test_an_instant_may_be_given_in_any_zone() -> None:
    daily = newsletter("Europe/Paris", "daily at 07:00")
    here = datetime(2026, 3, 12, 6, 59, tzinfo=ZoneInfo("Europe/Paris"))
    slot = next_slot(daily, here)
    assert slot is not None
    assert (slot.name, slot.at) == ("2026-03-12T07:00", utc("2026-03-12T06:00"))


def test_without_a_schedule_there_are_no_slots() -> None:
    by_hand = Newsletter(
        key="extra",
        title="Extra",
        sender_name="Extra",
        sender_address="extra@example.com",
        language="en",
        timezone=ZoneInfo("UTC"),
    )
    assert next_slot(by_hand, utc("2026-03-12")) is None


def test_a_leap_day_is_waited_for_over_the_year_2100() -> None:
    leap = newsletter("UTC", "0 7 29 feb *")
    slots = islice(slots_after(leap, utc("2092-03-01")), 3)
    assert [slot.name for slot in slots] == [
        "2096-02-29T07:00",
        "2104-02-29T07:00",
        "2108-02-29T07:00",
    ]


def test_days_off_do_not_end_a_schedule_that_is_rare() -> None:
    off = [date(year, 2, 29) for year in range(2028, 2096, 4)]
    leap = newsletter("UTC", schedule=parse_schedule(["0 7 29 feb *"], off))
    slot = next_slot(leap, utc("2026-01-01"))
    assert slot is not None
    assert slot.name == "2096-02-29T07:00"


@dataclass(frozen=True)
class Once:
    """A rule of a single day."""

    day: date
    times: tuple[time, ...] = (time(7),)

    def times_on(self, day: date) -> tuple[time, ...]:
        return self.times if day == self.day else ()


def test_a_schedule_that_never_comes_again_ends() -> None:
    rule = Once(date(2026, 3, 12))
    once = newsletter("UTC", schedule=Schedule(lines=("once",), rules=(rule,)))
    slots: Iterator[Slot] = slots_after(once, utc("2026-01-01"))
    assert [slot.name for slot in slots] == ["2026-03-12T07:00"]


def test_time_ends_where_datetime_does() -> None:
    daily = newsletter("Pacific/Kiritimati", "daily at 00:00 and 23:55")
    slots = list(slots_after(daily, utc("9999-12-20")))
    assert slots[-1].name == "9999-12-29T23:55"
