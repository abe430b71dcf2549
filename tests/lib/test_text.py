"""Text from outside, on one printable line."""

from hypothesis import given
from hypothesis import strategies as st

from digest.lib.text import nearest, plain, shorten


def test_breaks_become_spaces_and_controls_go() -> None:
    assert plain(" a\r\nb\tc\x00\x07\x85\u2028d \ud800\ufeff\ufffe") == "a b c d"


def test_direction_overrides_go_and_marks_stay() -> None:
    assert plain("\u202egnilles\u202c \u200fشعر\u200d") == "gnilles \u200fشعر\u200d"


@given(st.text(st.characters()))
def test_what_is_left_is_one_line_that_utf_8_can_say(text: str) -> None:
    clean = plain(text)
    clean.encode()
    assert len(clean.splitlines()) <= 1
    assert clean == plain(clean)
    assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in clean)


def test_a_long_text_is_cut_between_words() -> None:
    assert shorten("The council, at last, decided", 20) == "The council, at…"
    assert shorten("short", 20) == "short"
    assert shorten("x" * 30, 10) == "x" * 9 + "…"


@given(st.text(max_size=80), st.integers(2, 60))
def test_nothing_is_longer_than_asked(text: str, most: int) -> None:
    assert len(shorten(text, most)) <= most


def test_the_nearest_word_is_found_as_it_is_spelled() -> None:
    assert nearest("titel", ["Title", "Summary"]) == "Title"
    assert nearest("PUBLISHED", ["published_at", "expires_at"]) == "published_at"
    assert nearest("wholly-other", ["Title"]) is None
    assert nearest("a    b    c", ["abc"]) is None
    assert nearest("a    b    c", ["abc"], fold=lambda text: text.replace(" ", "")) == "abc"
