"""Filling: the fast way and the careful way make the same bytes."""

import html
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.composer import mime
from digest.composer.headers import date_field, mailbox_field, structured_field, to_field
from digest.composer.mime import text_and_html
from digest.errors import SubscriberError
from digest.lib.email_address import wire_address
from digest.lib.text import plain

# Mostly what the fast way takes, and just outside of it.
NEARLY_PLAIN = st.text(
    st.sampled_from("abcXYZ019 -._+~!@/?") | st.sampled_from("<>&'\"=:;,\\()\t\né\x7f\u202eــ"),
    max_size=100,
) | st.from_regex(r"(From |\.)?[ -~]{0,90}", fullmatch=True)
NAMES = NEARLY_PLAIN | st.from_regex(
    r"[A-Za-z0-9]{1,30}([ -][A-Za-z0-9]{1,30}){0,4}", fullmatch=True
)
EMAILS = (
    st.emails()
    | st.from_regex(r"[a-zA-Z0-9_+.-]{1,40}@[a-zA-Z0-9._-]{1,40}", fullmatch=True)
    | st.text(st.sampled_from("ab.@-_+'é\n A"), max_size=30)
)


@given(NEARLY_PLAIN)
@example("")
@example("x" * 75)
@example("x" * 76)
@example("x" * 150 + ".y")
@example("From here")
@example("x" * 75 + "From here")
@example(".")
@example("a" * 75 + ".")
@example("two  spaces")
@example(" before")
@example("after ")
def test_a_value_of_a_body_is_what_the_careful_way_makes(value: str) -> None:
    text = plain(value)
    careful = (mime.encode_value(text), mime.encode_value(html.escape(text)))
    assert text_and_html(value) == careful


@given(NAMES, EMAILS)
@example("Ana", "ana@example.org")
@example("", "ana@example.org")
@example("A" * 34 + " " + "B" * 31, "a@b.example")
@example("Ana", "ana@Example.org")
@example("Ana", "ana@example.org\n")
@example("Ana\n", "ana@example.org")
@example("Ana", "ana@example..org")
@example("Ana", "ana@example.-org")
def test_the_field_to_is_what_the_careful_way_makes(name: str, email: str) -> None:
    try:
        careful = mailbox_field("To", name, wire_address(email))
    except SubscriberError:
        with pytest.raises(SubscriberError):
            to_field(name, email)
    else:
        assert to_field(name, email) == careful


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Ljubljana", "Asia/Kolkata", "America/New_York"]),
)
def test_the_field_date_is_the_moment_in_the_newsletters_own_time(
    moment: datetime, zone: str
) -> None:
    moment = moment.replace(tzinfo=UTC)
    local = moment.replace(microsecond=0).astimezone(ZoneInfo(zone))
    expected = structured_field("Date", [format_datetime(local)])
    assert date_field(moment, ZoneInfo(zone)) == expected


def test_the_date_moves_with_the_clock() -> None:
    moment = datetime(2026, 3, 12, 6, 59, 59, 999_999, tzinfo=UTC)
    zone = ZoneInfo("Europe/Ljubljana")
    assert date_field(moment, zone) == b"Date: Thu, 12 Mar 2026 07:59:59 +0100\r\n"
    later = moment + timedelta(microseconds=1)
    assert date_field(later, zone) == b"Date: Thu, 12 Mar 2026 08:00:00 +0100\r\n"
