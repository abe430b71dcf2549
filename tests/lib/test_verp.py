"""Return paths that name the delivery: what we wrote is read, and nothing else is."""

from datetime import date

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from digest.lib import verp
from digest.model.newsletter import LONGEST_BOUNCE_NAME

KEY = b"a key of the site, of 32 octets!"
DAY = date(2026, 3, 12)

DELIVERIES = st.integers(min_value=0, max_value=10**13 - 1)


def ours(delivery_id: int = 81234, day: date = DAY, bounces: str = "bounces@news.example") -> str:
    return verp.address(bounces, KEY, day=day, delivery_id=delivery_id)


def test_the_address_names_the_day_of_the_edition_and_the_delivery() -> None:
    name, _, code = ours().removesuffix("@news.example").rpartition(".")
    assert name == "bounces+20260312.81234"
    assert len(code) == 20


@given(DELIVERIES, st.dates(), st.sampled_from(["b@x.example", "news+bounces@mail.news.example"]))
def test_what_was_written_is_read_whatever_became_of_the_case(
    delivery_id: int, day: date, bounces: str
) -> None:
    address = ours(delivery_id, day, bounces)
    assert verp.read(address, KEY) == delivery_id
    assert verp.read(address.upper(), KEY) == delivery_id
    assert verp.read(address, KEY, oldest=day) == delivery_id


@given(DELIVERIES, st.integers(min_value=0, max_value=60), st.characters(codec="ascii"))
def test_an_address_that_was_changed_anywhere_in_the_detail_is_not_ours(
    delivery_id: int, place: int, character: str
) -> None:
    head, detail, domain = "bounces+", ours(delivery_id)[len("bounces+") : -13], "@news.example"
    place %= len(detail)
    damaged = detail[:place] + character + detail[place + 1 :]
    assume(damaged.lower() != detail)
    assert verp.read(head + damaged + domain, KEY) is None
    shortened = detail[:place] + detail[place + 1 :]
    assert verp.read(head + shortened + domain, KEY) is None


@given(st.text(max_size=80) | st.emails())
@example("")
@example("bounces@news.example")
@example("bounces+20260312.81234.00000000000000000000@news.example")
@example("bounces+20260312.٨١٢٣٤.5f0c9a7d2b48365e1f0c@news.example")
@example(f"+20260312.81234.5f0c9a7d2b48365e1f0c@{'x' * 100_000}")
def test_no_other_address_is_ours(address: str) -> None:
    assert verp.read(address, KEY) is None


@given(st.binary(min_size=1, max_size=64))
def test_under_another_key_nothing_is_read(key: bytes) -> None:
    assume(key != KEY)
    assert verp.read(ours(), key) is None


def test_an_address_of_an_edition_that_is_too_old_is_not_read() -> None:
    assert verp.read(ours(), KEY, oldest=date(2026, 3, 12)) == 81234
    assert verp.read(ours(), KEY, oldest=date(2026, 3, 13)) is None


def test_two_deliveries_have_two_addresses_and_a_retry_the_same() -> None:
    assert ours(1) != ours(2)
    assert ours(1) == ours(1)


def test_the_longest_address_is_within_what_smtp_allows() -> None:
    bounces = "b" * LONGEST_BOUNCE_NAME + "@news.example"
    name, _, _ = ours(10**13 - 1, bounces=bounces).rpartition("@")
    assert len(name) == 64


@pytest.mark.parametrize("key", [None, KEY])
def test_an_edition_has_one_return_path_unless_there_is_a_key(key: bytes | None) -> None:
    paths = verp.ReturnPaths(address="bounces@news.example", day=DAY, key=key)
    assert paths.of(7) == ("bounces@news.example" if key is None else ours(7))
    assert "octets" not in repr(paths), "the key is nobody's business"
