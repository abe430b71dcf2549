import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SenderError
from digest.sender.envelope import Envelope
from digest.sender.wire import FINAL_DOT, dot_stuffed, letter_of

ENVELOPE = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")

lines = st.lists(
    st.one_of(
        st.sampled_from([b"", b".", b"..", b".hidden", b"text", b" ."]),
        st.binary(max_size=20).filter(lambda line: b"\r" not in line and b"\n" not in line),
    ),
    min_size=1,
    max_size=20,
)


@given(lines)
def test_a_server_gets_back_every_line_and_sees_no_end_before_the_end(given: list[bytes]) -> None:
    message = b"\r\n".join(given) + b"\r\n"

    received = (dot_stuffed(message) + FINAL_DOT).split(b"\r\n")

    assert received[-2:] == [b".", b""]
    assert b"." not in received[:-2]
    assert [line.removeprefix(b".") for line in received[:-2]] == given


@pytest.mark.parametrize(
    "message", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n\n", b"\r\r\n", b"a\r\n.\nb\r\n"]
)
def test_a_line_end_that_servers_disagree_on_never_leaves(message: bytes) -> None:
    with pytest.raises(SenderError, match="not part of a CRLF"):
        letter_of(ENVELOPE, message)


def test_a_message_gets_the_line_end_that_it_lacks() -> None:
    letter = letter_of(ENVELOPE, b"Subject: x\r\n\r\nend")

    assert letter.body == b"Subject: x\r\n\r\nend\r\n"
    assert letter.size == 19
    assert letter.ascii_only


def test_the_size_is_that_of_the_message_without_the_added_dots() -> None:
    # RFC 1870 section 5: the octets of the message, before transparency.
    letter = letter_of(ENVELOPE, b"..\r\n")

    assert (letter.size, letter.body) == (4, b"...\r\n")
