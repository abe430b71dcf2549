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


def joined(wire: OutgoingMessage) -> OutgoingMessage:
    """The message with its data in one piece: how it is cut makes no difference to a server."""
    return wire._replace(data=[b"".join(wire.data)])


def outgoing(envelope: Envelope, message: Message) -> OutgoingMessage:
    return MessageChecker().outgoing(envelope, message)


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
        outgoing(ENVELOPE, message)


def test_a_message_gets_the_line_end_that_it_lacks() -> None:
    wire = outgoing(ENVELOPE, b"Subject: x\r\n\r\nend")

    assert b"".join(wire.data) == b"Subject: x\r\n\r\nend\r\n.\r\n"
    assert wire.size == 19
    assert wire.ascii_only


def test_the_size_is_that_of_the_message_without_the_added_dots() -> None:
    # RFC 1870 section 5: the octets of the message, before transparency.
    wire = outgoing(ENVELOPE, b"..\r\n")

    assert (wire.size, b"".join(wire.data)) == (4, b"...\r\n.\r\n")


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
def test_a_message_in_pieces_is_the_same_as_in_one(messages: list[list[bytes]]) -> None:
    inspector = MessageChecker()
    for message in messages:
        try:
            whole = outgoing(ENVELOPE, b"".join(message))
        except SenderError:
            with pytest.raises(SenderError):
                inspector.outgoing(ENVELOPE, message)
            continue
        assert joined(inspector.outgoing(ENVELOPE, message)) == joined(whole)


@given(pieces)
def test_a_message_ends_once_and_every_line_ends_well(message: list[bytes]) -> None:
    text = b"".join(message)
    try:
        wire = outgoing(ENVELOPE, message)
    except SenderError:
        return
    *sent, end, nothing = b"".join(wire.data).split(b"\r\n")
    assert (end, nothing) == (b".", b"")
    assert not any(b"\r" in line or b"\n" in line or line == b"." for line in sent)
    unstuffed = b"".join(line.removeprefix(b".") + b"\r\n" for line in sent)
    assert unstuffed in (text, text + b"\r\n")
    assert wire.size == len(unstuffed)
    assert wire.ascii_only is text.isascii()


def test_sound_pieces_are_taken_at_their_word() -> None:
    message = WireSafeChunks([b"To: zo\xc3\xab@example.com\r\n\r\n", b"News.\r\n", b"Bye.\r\n"])

    wire = outgoing(ENVELOPE, message)

    assert joined(wire) == joined(outgoing(ENVELOPE, b"".join(message)))
    assert not wire.ascii_only
