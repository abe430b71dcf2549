import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.subscribers.formula_guard import guard, unguard


@given(st.text())
def test_every_text_survives_the_way_into_a_spreadsheet_and_back(text: str) -> None:
    assert unguard(guard(text)) == text


@given(st.text("'=+-@\t\r\n＝＋－＠a", max_size=6))
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not guard(text).startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", ["Eva", "'tis", "O'Neil", "", "a=b"])
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert guard(text) == text == unguard(text)
