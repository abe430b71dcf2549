from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SubscriberError
from digest.model.subscriber import MembershipStatus
from digest.subscribers import field_values

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Eva   Sá ", "Eva Sá"),
        ("Eva\r\nBcc: ida@example.com", "Eva Bcc: ida@example.com"),
        ("Eva\x1b[31m\x07", "Eva [31m"),
        ("Eva\u202eavE\u2069", "EvaavE"),
        ("E\u0301va", "Éva"),
        ("Eva\u00a0Sá\u2028x", "Eva Sá x"),
        ("\ufeffEva\x00", "Eva"),
        ("\ud800Eva", "Eva"),
        ("نمی\u200cدانم", "نمی\u200cدانم"),
    ],
)
def test_a_name_is_one_line_that_steers_nothing(typed: str, name: str) -> None:
    assert field_values.name(typed) == name


@given(st.text())
def test_cleaning_a_line_twice_changes_nothing(text: str) -> None:
    once = field_values.one_line(text)
    assert field_values.one_line(once) == once
    assert all(character.isprintable() or character in "\u200c\u200d" for character in once)


@given(st.text())
def test_cleaning_a_field_twice_changes_nothing(text: str) -> None:
    once = field_values.field(text)
    assert field_values.field(once) == once
    assert "\r" not in once
    assert "\x1b" not in once


@pytest.mark.parametrize("typed", ["=?utf-8?q?x=0ABcc=3A_v=40x?=", "x" * 201])
def test_a_name_that_would_become_another_header_is_refused(typed: str) -> None:
    with pytest.raises(SubscriberError):
        field_values.name(typed)


def test_a_language_is_judged_by_its_shape_alone() -> None:
    assert field_values.language("pt_br") == "pt-BR"
    assert field_values.language("ga") == "ga"
    for wrong in ("English", "e", "de;at", "", "pt-"):
        with pytest.raises(SubscriberError):
            field_values.language(wrong)


def test_a_time_zone_is_one_of_the_iana_database() -> None:
    assert field_values.timezone("europe/lisbon") == "Europe/Lisbon"
    for wrong in ("Lisbon", "+01:00", "CEST", "../etc/passwd", "Factory", "localtime"):
        with pytest.raises(SubscriberError):
            field_values.timezone(wrong)


def test_topics_are_sorted_and_each_is_there_once() -> None:
    assert field_values.topics(["Sport", "arts", "sport", " ", "Town  hall"]) == (
        "arts",
        "Sport",
        "Town hall",
    )


def test_a_state_has_our_words_and_those_of_other_programs() -> None:
    assert field_values.status("") is MembershipStatus.ACTIVE
    assert field_values.status(" Unsubscribed ") is MembershipStatus.UNSUBSCRIBED
    assert field_values.status("Complained") is MembershipStatus.SUPPRESSED
    with pytest.raises(SubscriberError, match="expected one of active, pending"):
        field_values.status("gone")


@pytest.mark.parametrize("word", ["bounced", "cleaned"])
def test_a_bounce_ends_a_subscription_and_does_not_bar_the_address_for_good(word: str) -> None:
    assert field_values.status(word) is MembershipStatus.UNSUBSCRIBED
    assert field_values.reason_of(f" {word.title()} ") == word
    assert field_values.reason_of("unsubscribed") == ""


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-03-01", datetime(2026, 2, 28, 23, 0, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("2026-03-01T10:00:00.9+02:00", datetime(2026, 3, 1, 8, 0, tzinfo=UTC)),
    ],
)
def test_a_date_without_a_zone_is_local(typed: str, instant: datetime) -> None:
    assert field_values.since(typed, now=NOW, zone=ZoneInfo("Europe/Paris")) == instant


@pytest.mark.parametrize("typed", ["yesterday", "2026-13-01", "2027-01-01", "0001-01-01", "1/2/26"])
def test_a_date_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(SubscriberError):
        field_values.since(typed, now=NOW, zone=ZoneInfo("Europe/Paris"))
