import re
from collections.abc import Callable
from datetime import date, time, timedelta

import pytest

from digest.config.load import Loaded
from digest.config.settings import LogForm
from digest.config.starter import Beginning, starter
from digest.errors import Problem
from digest.model.schedule import CatchUp, DeliverAt, OnSilence, QuietHours

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

BEGINNING = Beginning(name="Example News", url="https://www.example.com", sender="news@example.com")
WEEKDAYS = 'schedule = "weekdays at 07:00"\n'


def test_a_schedule_is_a_text_or_a_list_of_texts(loaded: Load, minimal: str) -> None:
    lines = 'schedule = ["weekdays at 07:00", "  saturdays   at 9:00 "]'
    schedule = loaded(minimal + lines).settings.newsletter("daily").schedule
    assert schedule is not None
    assert schedule.lines == ("weekdays at 07:00", "saturdays at 9:00")
    assert str(schedule) == "weekdays at 07:00, saturdays at 9:00"

    schedule = loaded(minimal + WEEKDAYS).settings.newsletter("daily").schedule
    assert schedule is not None
    assert schedule.lines == ("weekdays at 07:00",)


def test_days_off_are_dates_texts_and_holidays(loaded: Load, minimal: str) -> None:
    days = 'days_off = [2026-12-25, "2026-05-01", "2026-12-30 .. 2027-01-02"]'
    schedule = loaded(minimal + WEEKDAYS + days).settings.newsletter("daily").schedule
    assert schedule is not None
    assert sorted(schedule.days_off) == [
        date(2026, 5, 1),
        date(2026, 12, 25),
        date(2026, 12, 30),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2027, 1, 2),
    ]


@pytest.mark.parametrize("text", ["22:00-07:00", " 22:00 – 7:00 "])
def test_quiet_hours_may_run_over_midnight(text: str, loaded: Load, minimal: str) -> None:
    settings = loaded(f'{minimal}{WEEKDAYS}quiet_hours = "{text}"').settings
    hours = settings.newsletter("daily").timing.quiet_hours
    assert hours == QuietHours(begin=time(22), end=time(7))


def test_the_environment_sets_when_and_how(loaded: Load, minimal: str) -> None:
    newsletter = "DIGEST_NEWSLETTERS__DAILY__"
    environ = {
        f"{newsletter}SCHEDULE": '["fridays at 16:30", "0 7 * * mon-thu"]',
        f"{newsletter}DAYS_OFF": '[2026-12-25, "2026-12-31"]',
        f"{newsletter}DAYS_OFF__2": "2027-01-01",
        f"{newsletter}CATCH_UP": "skip",
        f"{newsletter}MAX_LATENESS": "7200",
        f"{newsletter}DELIVER_AT": "reader",
        f"{newsletter}QUIET_HOURS": "22:00-06:00",
        f"{newsletter}APPROVAL": "required",
        f"{newsletter}LEAD_TIME": "3h",
        f"{newsletter}ON_SILENCE": "skip",
        "DIGEST_SERVICE__OWNER": "owner@example.com",
        "DIGEST_SERVICE__PORT": "9090",
        "DIGEST_SERVICE__LOG": "json",
        "DIGEST_SERVICE__TIMEOUT": "45",
        "DIGEST_SERVICE__INGEST_EVERY": "5m",
        "DIGEST_DATABASE__RETENTION": "52w",
    }

    settings = loaded(minimal, environ).settings

    schedule, timing = settings.newsletter("daily").schedule, settings.newsletter("daily").timing
    assert schedule is not None
    assert schedule.lines == ("fridays at 16:30", "0 7 * * mon-thu")
    assert schedule.days_off == {date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 1)}
    assert (timing.catch_up, timing.max_lateness) == (CatchUp.SKIP, timedelta(hours=2))
    assert timing.deliver_at is DeliverAt.READER
    assert timing.quiet_hours == QuietHours(begin=time(22), end=time(6))
    assert (timing.approval, timing.lead_time) == (True, timedelta(hours=3))
    assert timing.on_silence is OnSilence.SKIP
    service = settings.service
    assert (service.owner, service.port, service.log) == ("owner@example.com", 9090, LogForm.JSON)
    assert (service.timeout, service.ingest_every) == (45.0, timedelta(minutes=5))
    assert settings.retention == timedelta(weeks=52)


def test_one_line_in_the_environment_needs_no_brackets(loaded: Load, minimal: str) -> None:
    environ = {"DIGEST_NEWSLETTERS__DAILY__SCHEDULE": "mondays, fridays at 07:00"}
    schedule = loaded(minimal + WEEKDAYS, environ).settings.newsletter("daily").schedule
    assert schedule is not None
    assert schedule.lines == ("mondays, fridays at 07:00",)


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (
            'schedule = "mondys at 7"',
            "newsletters.daily.schedule: found 'mondys at 7', expected a time from 00:00 to 23:59,"
            " not 7. Did you mean mondays at 07:00?",
        ),
        (
            'schedule = ["daily at 07:00", "daily at 25:00"]',
            "newsletters.daily.schedule: found 'daily at 25:00', expected a time from 00:00 to"
            " 23:59, not 25:00.",
        ),
        (
            "schedule = []",
            "newsletters.daily.schedule: found a list of 0, expected days and times such as"
            ' "weekdays at 07:00", "fridays at 16:30" or "monthly on the 1st at 09:00".',
        ),
        (
            "schedule = 07:00:00",
            "newsletters.daily.schedule: found 07:00:00, expected a text such as"
            ' "weekdays at 07:00", or a list of texts.',
        ),
        (
            'schedule = ["daily at 07:00", 7]',
            "newsletters.daily.schedule: found a list of 2, expected a text such as"
            ' "weekdays at 07:00", or a list of texts.',
        ),
        (
            'schedule = "daily at 07:00 and 07:01"',
            "newsletters.daily.schedule: found 'daily at 07:00 and 07:01', expected editions that"
            " are at least 5 minutes apart.",
        ),
        (
            f"{WEEKDAYS}days_off = [2026-12-25T07:00:00]",
            "newsletters.daily.days_off[0]: found 2026-12-25 07:00:00, expected a date such as"
            ' 2026-12-25, or "2026-12-24..2027-01-02".',
        ),
        (
            f'{WEEKDAYS}days_off = [2026-12-25, "2026-02-29"]',
            "newsletters.daily.days_off[1]: found '2026-02-29', expected a date such as"
            ' 2026-12-25, or "2026-12-24..2027-01-02".',
        ),
        (
            f'{WEEKDAYS}days_off = ["2026-12-24..2026-01-02"]',
            "newsletters.daily.days_off[0]: found '2026-12-24..2026-01-02', expected a holiday that"
            " ends after it begins, and within a year.",
        ),
        (
            f"{WEEKDAYS}days_off = 2026-12-25",
            "newsletters.daily.days_off: found 2026-12-25, expected a list such as"
            ' [2026-12-25, "2026-12-24..2027-01-02"].',
        ),
        (
            f'{WEEKDAYS}catch_up = "all"',
            "newsletters.daily.catch_up: found 'all', expected collapse, replay or skip.",
        ),
        (
            f'{WEEKDAYS}max_lateness = "30s"',
            "newsletters.daily.max_lateness: found '30s', expected a span of time from 1m up, such"
            " as 15m, 2h or 1d.",
        ),
        (
            f'{WEEKDAYS}deliver_at = "07:00"',
            "newsletters.daily.deliver_at: found '07:00', expected newsletter or reader.",
        ),
        (
            f'{WEEKDAYS}quiet_hours = "22-7"',
            "newsletters.daily.quiet_hours: found '22-7', expected a span of the day such as"
            ' "22:00-07:00".',
        ),
        (
            f'{WEEKDAYS}quiet_hours = "22:00-24:00"',
            "newsletters.daily.quiet_hours: found '22:00-24:00', expected times from 00:00 to"
            " 23:59. Did you mean 22:00-00:00?",
        ),
        (
            f'{WEEKDAYS}quiet_hours = "22:00-22:00"',
            "newsletters.daily.quiet_hours: found '22:00-22:00', expected hours that end at another"
            " time than they begin.",
        ),
        (
            f"{WEEKDAYS}approval = true",
            "newsletters.daily.approval: found true, expected none or required.",
        ),
        (
            "[service]\nport = 0\n",
            "service.port: found 0, expected a whole number from 1 to 65535.",
        ),
        ('[service]\nlog = "xml"\n', "service.log: found 'xml', expected text or json."),
        (
            '[service]\ningest_every = "1s"\n',
            "service.ingest_every: found '1s', expected a span of time from 1m up, such as 15m, 2h"
            " or 1d.",
        ),
        (
            "[database]\nretention = 90\n",
            "database.retention: found 90, expected a span of time from 1d up, such as 90d or 52w.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told(addition: str, told: str, problems: Problems, minimal: str) -> None:
    assert [str(problem) for problem in problems(minimal + addition).values()] == [told]


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (
            'days_off = [2026-12-25]\ncatch_up = "skip"',
            "newsletters.daily.schedule: found nothing, beside days_off, catch_up, expected a"
            ' schedule such as "weekdays at 07:00", or none of these keys.',
        ),
        (
            f'{WEEKDAYS}lead_time = "2h"\non_silence = "send"',
            "newsletters.daily.approval: found none, beside lead_time and on_silence, expected"
            ' approval = "required", or none of these keys.',
        ),
        (
            'schedule = "daily at 07:00 and 08:30"\napproval = "required"',
            "newsletters.daily.lead_time: found 2h, with editions only 90m apart, expected at most"
            " 90m: one draft follows the other.",
        ),
        (
            f'{WEEKDAYS}approval = "required"\nlead_time = "25h"',
            "newsletters.daily.lead_time: found 25h, with editions only 1d apart, expected at most"
            " 1d: one draft follows the other.",
        ),
        (
            'schedule = "daily at 06:00 and 22:30"\nquiet_hours = "22:00-07:00"',
            "newsletters.daily.quiet_hours: found '22:00-07:00', with every edition in them (06:00,"
            " 22:30), expected hours that leave out at least one time of the schedule.",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_told(
    addition: str, told: str, problems: Problems, minimal: str
) -> None:
    assert [str(problem) for problem in problems(minimal + addition).values()] == [told]


@pytest.mark.parametrize(
    "addition",
    [
        'schedule = "daily at 06:00 and 07:00"\nquiet_hours = "22:00-07:00"',
        'schedule = "mondays at 07:00"\napproval = "required"\nlead_time = "7d"',
        'schedule = ["mondays at 07:00", "fridays at 07:30"]\napproval = "required"',
        f'{WEEKDAYS}approval = "none"\nmax_lateness = "30d"',
    ],
)
def test_keys_that_just_go_together_are_taken(addition: str, loaded: Load, minimal: str) -> None:
    assert loaded(minimal + addition).settings.newsletter("daily").schedule


def test_a_wrong_schedule_hides_nothing_else(problems: Problems, minimal: str) -> None:
    addition = 'schedule = "daily"\nquiet_hours = "x"\nmax_age = "soon"\non_silence = "send"'
    assert set(problems(minimal + addition)) == {
        "newsletters.daily.schedule",
        "newsletters.daily.quiet_hours",
        "newsletters.daily.max_age",
        "newsletters.daily.approval",
    }


def test_a_line_of_a_list_is_set_as_a_whole(problems: Problems, minimal: str) -> None:
    found = problems(minimal, {"DIGEST_NEWSLETTERS__DAILY__SCHEDULE__0": "daily at 07:00"})
    assert "expected no further step" in str(found["DIGEST_NEWSLETTERS__DAILY__SCHEDULE__0"])


def test_the_beginning_is_sent_on_weekdays(loaded: Load) -> None:
    schedule = loaded(starter(BEGINNING)).settings.newsletter("daily").schedule
    assert str(schedule) == "weekdays at 07:00"


def test_the_examples_of_the_beginning_may_be_used_as_they_stand(loaded: Load) -> None:
    examples = "days_off|catch_up|max_lateness|deliver_at|quiet_hours|approval|lead_time|on_silence"
    examples += "|owner|port = 9090|retention"
    text = re.sub(rf"^# ((?:{examples})\b)", r"\1", starter(BEGINNING), flags=re.MULTILINE)

    settings = loaded(text).settings

    timing = settings.newsletter("daily").timing
    assert (timing.approval, timing.deliver_at) == (True, DeliverAt.READER)
    assert (settings.service.owner, settings.service.port) == ("owner@example.com", 9090)
    assert settings.retention == timedelta(weeks=52)
