from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.lib.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("36h", timedelta(hours=36)),
        ("2d", timedelta(days=2)),
        ("90m", timedelta(minutes=90)),
        ("90 min", timedelta(minutes=90)),
        ("1w", timedelta(weeks=1)),
        ("30s", timedelta(seconds=30)),
        ("1d 12h", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        ("1.5h", timedelta(minutes=90)),
        (" 2D ", timedelta(days=2)),
        ("3600", timedelta(hours=1)),
        (3600, timedelta(hours=1)),
        (0.5, timedelta(milliseconds=500)),
    ],
)
def test_a_span_of_time_is_read_as_people_write_it(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "h",
        "soon",
        "2 days ago",
        "-2d",
        "2x",
        "d2",
        "2d,3h",
        "1e5",
        "0s",
        "999999999w",
        0,
        -1,
        True,
        None,
        [],
        {},
        float("nan"),
        float("inf"),
        10**400,
        1e300,
    ],
)
def test_what_is_no_span_of_time_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="span of time"):
        parse_duration(written)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=3650)))
def test_a_written_span_reads_back_as_itself(span: timedelta) -> None:
    whole = timedelta(seconds=int(span.total_seconds()))
    assert parse_duration(format_duration(whole)) == whole


@given(st.text())
def test_no_text_makes_reading_fail_otherwise_than_with_a_value_error(text: str) -> None:
    try:
        parse_duration(text)
    except ValueError as error:
        assert "span of time" in str(error)  # noqa: PT017  most texts are refused, some are not
