import contextlib
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.schedule import Schedule
from digest.schedule.parse import parse_schedule, shortest_distance
from digest.schedule.phrases import WORDS, ScheduleError

#: Four weeks that begin on a Monday, and the month after them.
FEBRUARY = [date(2027, 2, n) for n in range(1, 29)]
WORKDAYS = [n for n in range(1, 29) if n % 7 not in (6, 0)]
MARCH = [date(2027, 3, n) for n in range(1, 32)]


def days(schedule: Schedule, among: list[date]) -> list[int]:
    """The days of a month on which something is due."""
    return [day.day for day in among if schedule.times_on(day)]


@pytest.mark.parametrize(
    ("line", "in_february"),
    [
        ("daily at 07:00", list(range(1, 29))),
        ("every day at 7:00", list(range(1, 29))),
        ("DAILY AT 07:00", list(range(1, 29))),
        ("weekdays at 07:00", WORKDAYS),
        ("every weekday at 07:00", WORKDAYS),
        ("weekends at 9:00", [6, 7, 13, 14, 20, 21, 27, 28]),
        ("fridays at 16:30", [5, 12, 19, 26]),
        ("every friday at 16:30", [5, 12, 19, 26]),
        ("weekly on Friday at 16:30", [5, 12, 19, 26]),
        ("mondays, wednesdays and fridays at 07:00", [1, 3, 5, 8, 10, 12, 15, 17, 19, 22, 24, 26]),
        ("mon, wed, and fri at 07:00", [1, 3, 5, 8, 10, 12, 15, 17, 19, 22, 24, 26]),
        ("weekends and wednesdays at 9:00", [3, 6, 7, 10, 13, 14, 17, 20, 21, 24, 27, 28]),
        ("tuesday to thursday at 7:00", [2, 3, 4, 9, 10, 11, 16, 17, 18, 23, 24, 25]),
        ("sat–mon at 7:00", [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28]),
        ("monthly on the 1st at 09:00", [1]),
        ("every month on the 1st at 09:00", [1]),
        ("monthly on the 1st and 15th at 09:00", [1, 15]),
        ("monthly on the 1st, the 15th, and the 28th at 09:00", [1, 15, 28]),
        ("monthly on the last day at 18:00", [28]),
        ("monthly on the last friday at 16:00", [26]),
        ("monthly on the 2nd tuesday at 10:00", [9]),
        ("on the second tuesday of the month at 10:00", [9]),
        ("monthly on the 1st friday and the 3rd friday at 10:00", [5, 19]),
        ("monthly on the 15th and the last friday at 10:00", [15, 26]),
        ("monthly on the last monday and the 1st at 10:00", [1, 22]),
        ("30 7 * * mon-fri", WORKDAYS),
        ("0 7 * * sun-tue", [1, 2, 7, 8, 9, 14, 15, 16, 21, 22, 23, 28]),
        ("0 9 1,15 feb *", [1, 15]),
        ("0 9 * nov-jan *", []),
        ("0 9 29-31 * *", []),
        ("0 9 */10 * *", [1, 11, 21]),
    ],
)  # fmt: skip
def test_a_line_means_the_days_that_people_mean_by_it(line: str, in_february: list[int]) -> None:
    assert days(parse_schedule([line]), FEBRUARY) == in_february


@pytest.mark.parametrize(
    ("line", "in_march"),
    [
        ("monthly on the last day at 18:00", [31]),
        ("monthly on the last friday at 16:00", [26]),
        ("monthly on the 4th wednesday and last wednesday at 16:00", [24, 31]),
        ("0 9 31 * *", [31]),
    ],
)
def test_the_last_of_a_month_is_not_its_fourth(line: str, in_march: list[int]) -> None:
    assert days(parse_schedule([line]), MARCH) == in_march


def test_a_leap_day_is_the_last_of_its_february() -> None:
    schedule = parse_schedule(["monthly on the last day at 18:00"])
    assert schedule.times_on(date(2028, 2, 29))
    assert not schedule.times_on(date(2028, 2, 28))


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (["daily at 7:00"], [time(7)]),
        (["daily at 17:30 and 07:00"], [time(7), time(17, 30)]),
        (["daily at 07:00, 12:00, and 0:00"], [time(0), time(7), time(12)]),
        (["daily at 07:00", "mondays at 07:00", "mondays at 12:05"], [time(7), time(12, 5)]),
        (["0,30 8-10/2 * * *"], [time(8), time(8, 30), time(10), time(10, 30)]),
        (["daily at 12:00", "59 23 * * *"], [time(12), time(23, 59)]),
    ],
)
def test_the_times_of_a_day_are_in_order_and_each_once(lines: list[str], times: list[time]) -> None:
    assert parse_schedule(lines).times_on(date(2027, 2, 1)) == tuple(times)


def test_a_day_off_has_no_times() -> None:
    schedule = parse_schedule(["weekdays at 07:00"], [date(2027, 2, 2), date(2027, 2, 6)])
    assert days(schedule, FEBRUARY[:7]) == [1, 3, 4, 5]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("daily at 25:00", "a time from 00:00 to 23:59, not 25:00."),
        ("daily at 24:00", "a time from 00:00 to 23:59, not 24:00."),
        ("daily at 7:60", "a time from 00:00 to 23:59, not 7:60."),
        ("daily at 7", "a time from 00:00 to 23:59, not 7. Did you mean 'daily at 07:00'?"),
        ("fridays at 4 pm", "not 4 pm. Did you mean 'fridays at 16:00'?"),
        ("fridays at 12am", "a time from 00:00 to 23:59, not 12am."),
        ("daily at noon", "a time from 00:00 to 23:59, not noon. Did you mean 'daily at 12:00'?"),
        ("daily at 07:00 UTC", "no time zone: the key `timezone` sets it."),
        ("daily 07:00", "Did you mean 'daily at 07:00'?"),
        ("mondys at 7", "Did you mean 'mondays at 07:00'?"),
        ("mondys, wensdays at 7h30", "Did you mean 'mondays, wednesdays at 07:30'?"),
        ("mondys at 07:00", "'mondys' is no day. Did you mean 'mondays at 07:00'?"),
        ("montags um 7", 'expected days and times such as "weekdays at 07:00"'),
        ("daily", 'expected days and times such as "weekdays at 07:00"'),
        ("", 'expected days and times such as "weekdays at 07:00"'),
        ("at 07:00", 'expected days and times such as "weekdays at 07:00"'),
        ("weekly at 9:00", 'the day of the week, as in "fridays at 16:30"'),
        ("monthly at 9:00", 'the day of the month, as in "monthly on the 1st at 09:00"'),
        ("every other friday at 9:00", "is nearly every second week"),
        ("weekdays at 07:00, saturdays at 09:00", 'a list, with one "at" in each of its lines'),
        ("every 2 hours", 'cron such as "0 8-18/2 * * *"'),
        ("yearly on the 1st at 9:00", 'such as "0 9 1 jan,jul *"'),
        ("@daily", "Did you mean 'daily at 00:00'?"),
        ("monthly on the 32nd at 9:00", "a day of the month from 1 to 28, or the last day, not 32"),
        ("monthly on the 31st at 9:00", 'such as the last day; cron ("0 9 31 * *") leaves shorter'),
        ("monthly on the 5th friday at 9:00", "the 1st to the 4th, or the last, not number 5"),
        ("monthly on friday at 9:00", '"monthly on the last friday", not friday'),
        ("monthly on the last at 9:00", "what follows last: the last day, or the last friday"),
        (
            "monthly on the 1st and 3rd friday at 9:00",
            "Did you mean 'monthly on the 1st friday and 3rd friday at 9:00'?",
        ),
        (
            "monthly on the first and the last friday at 9:00",
            "Did you mean 'monthly on the first friday and the last friday at 9:00'?",
        ),
        ("0 7 31 feb *", "a day that occurs: none of its months has a day 31"),
        ("0 7 31 apr,jun *", "a day that occurs: none of its months has a day 31"),
        ("0 7 * * 1-5", "another day to another program. Did you mean '0 7 * * mon-fri'?"),
        ("0 7 * * 0", "weekdays by name, such as mon: the same number is another day"),
        ("0 7 * * 7", "weekdays by name, such as mon: the same number is another day"),
        ("0 7 13 * fri", "a day of the month or a weekday, and * for the other"),
        ("0 7 * * */2", "weekdays one by one, as in mon,wed,fri"),
        ("0 7 * *", "cron with five fields (minute hour day month weekday), not 4"),
        ("0 0 7 * * *", "cron with five fields (minute hour day month weekday), not 6"),
        ("60 7 * * *", "0 to 59 for the minute, not 60"),
        ("0 7 0 * *", "1 to 31 for the day of the month, not 0"),
        ("0 7 * 13 *", "1 to 12 or jan to dec for the month, not 13"),
        ("0 7 * * monday", "mon to sun for the weekday, not monday"),
        ("0 22-3 * * *", "a span that runs forwards, as in 22-23,0-3"),
        ("5/15 7 * * *", "a span before the step, as in 5-59/15, not 5/15"),
        ("*/0 7 * * *", "a step from 1 to 59, not */0"),
        ("0,,5 7 * * *", "0 to 59 for the minute, not nothing"),
        ("* 7 * * *", "editions that are at least 5 minutes apart"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_what_was_expected(line: str, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_schedule(["fridays at 13:31", line])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "lines",
    [
        ["daily at 07:00", "daily at 07:04"],
        ["mondays at 23:58", "tuesdays at 00:01"],
        ["sundays at 07:00", "monthly on the last day at 07:01"],
    ],
)
def test_lines_together_are_no_closer_than_five_minutes(lines: list[str]) -> None:
    with pytest.raises(ValueError, match="at least 5 minutes apart"):
        parse_schedule(lines)


def test_times_that_never_meet_may_be_as_close_as_they_like() -> None:
    assert parse_schedule(["mondays at 07:00", "fridays at 07:01"]).lines[1] == "fridays at 07:01"


def test_no_line_at_all_is_no_schedule() -> None:
    with pytest.raises(ValueError, match="found 'an empty list', expected days and times"):
        parse_schedule([])


@pytest.mark.parametrize(
    ("lines", "distance"),
    [
        (["weekdays at 07:00"], timedelta(days=1)),
        (["fridays at 07:00"], timedelta(days=7)),
        (["mondays at 07:00", "fridays at 07:01"], timedelta(days=2, hours=23, minutes=59)),
        (["daily at 07:00 and 17:30"], timedelta(hours=10, minutes=30)),
        (["monthly on the 1st at 09:00"], timedelta(days=28)),
        (["0 7 29 feb *"], timedelta(days=50)),
    ],
)
def test_the_distance_of_slots_is_that_of_the_closest(
    lines: list[str], distance: timedelta
) -> None:
    assert shortest_distance(parse_schedule(lines), timedelta(days=50)) == distance


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from([*WORDS, ",", "7", "07:00", "25:00", "1st", "31st", "*", "*/5", "-"]),
        max_size=8,
    ).map(" ".join)
)
def test_whatever_stands_in_a_line_is_taken_or_refused(line: str) -> None:
    with contextlib.suppress(ScheduleError):
        schedule = parse_schedule([line])
        four_years = (date(2027, 1, 1) + timedelta(days=n) for n in range(1461))
        assert any(schedule.times_on(day) for day in four_years)
