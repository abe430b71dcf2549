"""Cut or whole, the canonical form is the same."""

import hashlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.composer.dkim import CutBody, fields_of, relaxed_body, relaxed_field


# The examples of RFC 6376 section 3.4.5, and its words on empty bodies (3.4.4).
@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
        (b"", b""),
        (b"\r\n", b""),
        (b" \t\r\n \r\n\r\n", b""),
        (b"no line end", b"no line end\r\n"),
        (b"one \r\n\r\n two", b"one\r\n\r\n two\r\n"),
        (b"last \r\n \t", b"last\r\n"),
    ],
)
def test_a_body_is_canonical_as_the_rfc_says(body: bytes, canonical: bytes) -> None:
    assert relaxed_body(body) == canonical


@pytest.mark.parametrize(
    ("field", "canonical"),
    [
        (b"A: X\r\n", b"a:X\r\n"),
        (b"B : Y\t\r\n\tZ  \r\n", b"b:Y Z\r\n"),
        (b"Subject:\r\n \r\n", b"subject:\r\n"),
        (b"To: a:b\r\n", b"to:a:b\r\n"),
    ],
)
def test_a_field_is_canonical_as_the_rfc_says(field: bytes, canonical: bytes) -> None:
    assert [relaxed_field(field) for field in fields_of(field)] == [canonical]


LINES = st.lists(
    st.sampled_from([b"a", b"=", b" ", b"\t", b"  ", b"\r\n", b"\r\n\r\n", b" \r\n", b"\r", b"\n"]),
    max_size=8,
).map(b"".join)
WHOLE = LINES.map(lambda text: text + b"\r\n" if text else text)


@given(pieces=st.lists(WHOLE, min_size=1, max_size=8) | st.lists(LINES, min_size=1, max_size=8))
@example([b"\r\n \r\n", b"", b"\r\n"])
@example([b"a\r\n\r\n", b"\t\r\n"])
@example([b"a\r\n\r\n", b"\t\r\n", b"b"])
@example([b"a\r", b"", b"\n b"])
@settings(max_examples=500, deadline=None)
def test_a_cut_body_has_the_digest_of_the_whole_one(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    prepared = CutBody.of(pieces[0], pieces[::2])
    assert prepared.digest(pieces) == hashlib.sha256(relaxed_body(whole)).digest()
    assert relaxed_body(whole) == slowly(whole)


def slowly(body: bytes) -> bytes:
    """Section 3.4.4, line by line as it is written there."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def test_a_prepared_body_serves_many_readers() -> None:
    prepared = CutBody.of(b"Dear\r\n", [b" \r\n"])
    digests = [prepared.digest([b"Dear\r\n", name, b" \r\n"]) for name in (b"A\r\n", b"", b"A\r\n")]
    assert digests[0] == digests[2] != digests[1]
