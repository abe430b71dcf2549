from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.delivery import Reply
from digest.sender.replies import MAX_REPLY, MAX_TEXT, MalformedReply, ReplyParser

STREAM = (
    b"250-mail.example.org\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"
    b"250 2.1.0 sender fine\r\n"
    b"550-5.1.1 no such user here,\r\n550 5.1.1 and never was\r\n"
    b"354\r\n"
    b"421 4.4.2 mail.example.org \xe2\x80\x94 closing\r\n"
)
REPLIES = [
    Reply(code=250, text="mail.example.org PIPELINING SIZE 1000"),
    Reply(code=250, text="sender fine", enhanced="2.1.0"),
    Reply(code=550, text="no such user here, and never was", enhanced="5.1.1"),
    Reply(code=354, text=""),
    Reply(code=421, text="mail.example.org — closing", enhanced="4.4.2"),
]


def test_replies_are_read_with_their_enhanced_codes() -> None:
    assert list(ReplyParser().feed(STREAM)) == REPLIES


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_where_the_stream_is_cut(cuts: list[int]) -> None:
    parser = ReplyParser()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]

    assert [reply for piece in pieces for reply in parser.feed(piece)] == REPLIES


def test_one_octet_at_a_time_is_a_stream_too() -> None:
    parser = ReplyParser()

    assert [reply for octet in STREAM for reply in parser.feed(bytes([octet]))] == REPLIES


@pytest.mark.parametrize(
    "line",
    [
        b"\r\n",
        b"hello\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250ok\r\n",
        b"150 go on\r\n",
        b"999 what\r\n",
        b"\xff\xfe\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"250-begins\r\n550 ends\r\n",
    ],
)
def test_what_is_no_reply_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedReply):
        list(ReplyParser().feed(line))


def test_a_reply_before_the_garbage_still_counts() -> None:
    replies = iter(ReplyParser().feed(b"250 2.0.0 taken\r\ngarbage\r\n"))

    assert next(replies) == Reply(code=250, text="taken", enhanced="2.0.0")
    with pytest.raises(MalformedReply, match="'garbage' is no SMTP reply"):
        next(replies)


def test_a_line_feed_alone_ends_a_line_too() -> None:
    assert list(ReplyParser().feed(b"250-one\n250 two\n")) == [Reply(code=250, text="one two")]


@pytest.mark.parametrize("endless", [b"250 " + b"x" * 100_000, b"250-on and on\r\n" * 10_000])
def test_an_endless_reply_is_given_up_soon(endless: bytes) -> None:
    parser = ReplyParser()

    def feed() -> int:
        for start in range(0, len(endless), 1000):
            list(parser.feed(endless[start : start + 1000]))
        return start

    with pytest.raises(MalformedReply, match=f"longer than {MAX_REPLY:,} octets"):
        feed()


def test_a_long_text_is_cut_and_says_so() -> None:
    (reply,) = ReplyParser().feed(b"550 " + b"long " * 1000 + b"\r\n")

    assert len(reply.text) == MAX_TEXT
    assert reply.text.endswith("…")


def test_a_reply_cannot_steer_a_terminal() -> None:
    (reply,) = ReplyParser().feed(b"550 5.7.1 \x1b[2Jred\x07\x9b \xe2\x80\xae\rback\r\n")

    assert reply.text == "[2Jred � back"


def test_an_enhanced_code_of_another_class_is_only_text() -> None:
    (reply,) = ReplyParser().feed(b"550 2.1.5 fine\r\n")

    assert reply == Reply(code=550, text="2.1.5 fine")


@given(st.binary(max_size=300))
def test_any_octets_give_replies_or_a_clear_refusal(octets: bytes) -> None:
    replies: list[Reply] = []
    with suppress(MalformedReply):
        replies.extend(ReplyParser().feed(octets))

    assert all(200 <= reply.code < 600 and reply.text.isprintable() for reply in replies)


@given(
    st.lists(
        st.sampled_from([b"250 2.1.0 ok\r\n", b"354\r\n", b"250 ok\n", b"500 \r\n"]), max_size=9
    )
)
def test_replies_that_come_whole_are_read_like_those_that_come_in_pieces(
    lines: list[bytes],
) -> None:
    octets = b"".join(lines)
    whole, cut = ReplyParser(), ReplyParser()

    at_once = list(whole.feed(octets))

    assert at_once == [reply for octet in octets for reply in cut.feed(bytes([octet]))]
    assert len(at_once) == len(lines)
