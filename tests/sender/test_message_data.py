import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import SenderError
from digest.model.message import WireSafeChunks
from digest.sender.message_data import (
    FINAL_DOT,
    Envelope,
    Message,
    MessageChecker,
    OutgoingMessage,
    dot_stuffed,
)

ENVELOPE = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")


def joined(letter: OutgoingMessage) -> OutgoingMessage:
    """The letter with its data in one piece: how it is cut makes no difference to a server."""
    return letter._replace(data=[b"".join(letter.data)])


def letter_of(envelope: Envelope, message: Message) -> OutgoingMessage:
    return MessageChecker().letter(envelope, message)


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

    assert b"".join(letter.data) == b"Subject: x\r\n\r\nend\r\n.\r\n"
    assert letter.size == 19
    assert letter.ascii_only


def test_the_size_is_that_of_the_message_without_the_added_dots() -> None:
    # RFC 1870 section 5: the octets of the message, before transparency.
    letter = letter_of(ENVELOPE, b"..\r\n")

    assert (letter.size, b"".join(letter.data)) == (4, b"...\r\n.\r\n")


#: Pieces of all kinds, cut where it hurts, and some long enough to be remembered.
pieces = st.lists(
    st.one_of(
        st.sampled_from([b"", b"\r", b"\n", b".", b"\r\n", b".\r\n", b"\r\n.", b"a", b"\xc3"]),
        st.sampled_from([b"x" * 2000 + b"\r\n", b".x\r\n" * 500, b"y\r\n" * 700, b"\n" * 1500]),
        st.binary(max_size=6),
    ),
    max_size=12,
)


@given(st.lists(pieces, min_size=1, max_size=4))
def test_a_message_in_pieces_is_the_same_letter_as_in_one(messages: list[list[bytes]]) -> None:
    inspector = MessageChecker()
    for message in messages:
        try:
            whole = letter_of(ENVELOPE, b"".join(message))
        except SenderError:
            with pytest.raises(SenderError):
                inspector.letter(ENVELOPE, message)
            continue
        assert joined(inspector.letter(ENVELOPE, message)) == joined(whole)


@given(pieces)
def test_a_letter_ends_once_and_every_line_ends_well(message: list[bytes]) -> None:
    text = b"".join(message)
    try:
        letter = letter_of(ENVELOPE, message)
    except SenderError:
        return
    *sent, end, nothing = b"".join(letter.data).split(b"\r\n")
    assert (end, nothing) == (b".", b"")
    assert not any(b"\r" in line or b"\n" in line or line == b"." for line in sent)
    unstuffed = b"".join(line.removeprefix(b".") + b"\r\n" for line in sent)
    assert unstuffed in (text, text + b"\r\n")
    assert letter.size == len(unstuffed)
    assert letter.ascii_only is text.isascii()


def test_sound_pieces_are_taken_at_their_word() -> None:
    message = WireSafeChunks([b"To: zo\xc3\xab@example.com\r\n\r\n", b"News.\r\n", b"Bye.\r\n"])

    letter = letter_of(ENVELOPE, message)

    assert joined(letter) == joined(letter_of(ENVELOPE, b"".join(message)))
    assert not letter.ascii_only
