"""Quoted-printable that can be cut and filled."""

import quopri

from hypothesis import given
from hypothesis import strategies as st

from digest.composer.mime import LINE, encode, encode_before_placeholder, encode_value, encoded_size

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=300) | st.text(
    st.sampled_from("a .=\t\nFrom é🚀"), max_size=300
)


@given(TEXT)
def test_decoding_gives_back_the_text(text: str) -> None:
    assert quopri.decodestring(encode(text)).decode() == text.replace("\n", "\r\n")


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_texts_and_values_joined_decode_to_texts_and_values_joined(pieces: list[str]) -> None:
    *before, last = pieces
    message = b"".join([*map(encode_before_placeholder, before), encode(last)])
    assert quopri.decodestring(message).decode() == "".join(pieces).replace("\n", "\r\n")
    for line in message.split(b"\r\n"):
        assert len(line) <= LINE
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


@given(TEXT)
def test_a_value_is_encoded_as_a_text_before_a_placeholder_is(value: str) -> None:
    assert encode_value(value) == encode_before_placeholder(value)


def test_a_value_begins_and_ends_at_the_beginning_of_a_line() -> None:
    assert encode_before_placeholder("Dear ") == b"Dear =\r\n"
    assert encode_value("Ana") == b"Ana=\r\n"
    assert encode_value("") == b""
    assert encode_before_placeholder("first\n") == b"first\r\n"


def test_an_escape_is_never_cut_in_two() -> None:
    for filler in range(70, 80):
        for line in encode("x" * filler + "é" * 40).split(b"\r\n"):
            assert all(escape[:2].isalnum() for escape in line.rstrip(b"=").split(b"=")[1:])


def test_the_size_is_that_of_the_encoded_text() -> None:
    assert encoded_size("é\n") == len(b"=C3=A9\r\n")
