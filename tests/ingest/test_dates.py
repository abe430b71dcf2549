from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import DateOrder
from digest.ingest.dates import read_date
from digest.ingest.rows import Unusable

LISBON = ZoneInfo("Europe/Lisbon")
KOLKATA = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2014-03-10T17:21:20+00:00", "2014-03-10T17:21:20"),
        ("2014-03-10T17:21:20.1234567Z", "2014-03-10T17:21:20"),
        ("2014-07-10 17:21:20,5 +0530", "2014-07-10T11:51:20"),
        ("20140310T172120Z", "2014-03-10T17:21:20"),
        ("2014-03-10T17:21:20-05", "2014-03-10T22:21:20"),
        ("2014-03-10 17:21:20 UTC", "2014-03-10T17:21:20"),
        ("2014-03-10t24:00z", "2014-03-11T00:00:00"),
        ("Mon, 10 Mar 2014 17:21:20 EST", "2014-03-10T22:21:20"),
        ("Mon, 10 Mar 2014 17:21:20 +0100 (CET)", "2014-03-10T16:21:20"),
        ("10 Mar 14 17:21 -0000", "2014-03-10T17:21:00"),
        ("Mon Mar 10 17:21:20 PDT 2014", "2014-03-11T00:21:20"),
        ("March 10, 2014 at 5:21 PM EDT", "2014-03-10T21:21:00"),
        ("1394470905", "2014-03-10T17:01:45"),
        ("1394470905000", "2014-03-10T17:01:45"),
        ("1394470905.0", "2014-03-10T17:01:45"),
    ],
)
def test_a_date_with_a_zone_is_that_instant(written: str, utc: str) -> None:
    found = read_date(written, LISBON)
    assert found is not None
    assert found.replace(microsecond=0, tzinfo=None).isoformat() == utc


@pytest.mark.parametrize(
    "written",
    ["2014-07-10T17:21", "2014-07-10 17:21:00", "10 Jul 2014 17:21:00", "20140710172100"],
)
def test_a_date_without_a_zone_is_in_the_zone_of_its_source(written: str) -> None:
    assert read_date(written, LISBON) == datetime(2014, 7, 10, 16, 21, tzinfo=UTC)


@pytest.mark.parametrize("written", ["2014-07-10", "2014/7/10", "20140710", "10 July 2014"])
def test_a_day_begins_at_midnight_where_its_source_is(written: str) -> None:
    assert read_date(written, LISBON) == datetime(2014, 7, 9, 23, 0, tzinfo=UTC)


def test_a_name_of_a_zone_means_what_the_source_means_by_it() -> None:
    written = "Thu, 10 Jul 2014 17:21:00 IST"
    assert read_date(written, KOLKATA) == datetime(2014, 7, 10, 11, 51, tzinfo=UTC)
    with pytest.raises(ValueError, match="the time zone IST of a date is not known"):
        read_date(written, LISBON)


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("3.4.2014", None, "2014-04-03"),
        ("03.04.14 08:30", None, "2014-04-03"),
        ("13/4/2014", None, "2014-04-13"),
        ("4/13/2014 5:21 PM", None, "2014-04-13"),
        ("4-4-2014", None, "2014-04-04"),
        ("3/4/2014", DateOrder.DAY_FIRST, "2014-04-03"),
        ("3/4/14", DateOrder.DAY_FIRST, "2014-04-03"),
        ("3/4/2014", DateOrder.MONTH_FIRST, "2014-03-04"),
        ("03.04.2014", DateOrder.MONTH_FIRST, "2014-03-04"),
        ("Fri, 4/3/2014T08:30:00Z", DateOrder.DAY_FIRST, "2014-03-04"),
    ],
)
def test_a_date_of_numbers_is_read_where_it_can_mean_one_day_only(
    written: str, order: DateOrder | None, day: str
) -> None:
    found = read_date(written, LISBON, order)
    assert found is not None
    assert found.astimezone(LISBON).date().isoformat() == day


@pytest.mark.parametrize(
    ("written", "order", "complaint"),
    [
        ("03/04/2014", None, "does not say which number is the month"),
        ("14-03-10", None, "does not say which number is the month"),
        ("4/13/2014", DateOrder.DAY_FIRST, "has no month 13, and `dates` says day first"),
        ("13.4.2014", DateOrder.MONTH_FIRST, "has no month 13, and `dates` says month first"),
    ],
)
def test_a_date_that_could_mean_two_days_is_refused_with_what_to_do(
    written: str, order: DateOrder | None, complaint: str
) -> None:
    with pytest.raises(Unusable, match=complaint) as refused:
        read_date(written, LISBON, order)
    assert "dates" in refused.value.hint


def test_a_day_that_never_was_is_refused_in_either_order() -> None:
    for order in DateOrder:
        with pytest.raises(ValueError, match="is not a date"):
            read_date("31/31/2014", LISBON, order)
        with pytest.raises(ValueError, match="is not a date"):
            read_date("0/5/2014", LISBON, order)


def test_no_date_is_none() -> None:
    assert read_date("", LISBON) is None
    assert read_date("  ", LISBON) is None


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("tomorrow", "'tomorrow' is not a date"),
        ("2014-13-01", "'2014-13-01' is not a date"),
        ("31 Feb 2014", "'31 Feb 2014' is not a date"),
        ("2014", "'2014' is not a date"),
        ("03/04/2014", "does not say which number is the month"),
        ("1969-12-31T23:59:59Z", "is before 1970"),
        ("0001-01-01", "is before 1970"),
        ("9999-12-31T23:59:59-05:00", "is out of range"),
        ("999999999999999999999", "is not a date"),
        ("2014-03-10T17:21+99:99", "is not possible"),
        ("x" * 100_000, "xxx…' is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_what_was_found(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_date(written, LISBON)


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    with suppress(ValueError):
        found = read_date(text, LISBON)
        assert found is None or found.tzinfo is UTC


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2250, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["iso", "mail", "epoch"]),
)
def test_every_instant_is_read_as_it_was_written(moment: datetime, form: str) -> None:
    instant = moment.replace(microsecond=0, tzinfo=UTC)
    written = {
        "iso": instant.isoformat(),
        "mail": instant.strftime("%a, %d %b ") + f"{instant.year} {instant:%H:%M:%S} +0000",
        "epoch": f"{instant.timestamp() * 1000:013.0f}",
    }[form]
    assert read_date(written, LISBON) == instant
