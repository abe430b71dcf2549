"""Header fields that stay one field, whatever is in them."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer.headers import header_text, mailbox_field, text_field

VALUES = st.text(max_size=200) | st.text(st.sampled_from('aé🚀 =?\r\n\x00"\\<>,_'), max_size=200)


def decoded(field: bytes) -> str:
    value = re.sub(r"\r\n(?=[ \t])", "", field.decode("ascii").removesuffix("\r\n"))
    return str(make_header(decode_header(value.partition(": ")[2])))


@given(VALUES)
def test_a_subject_reads_as_it_was_meant_on_lines_that_mail_can_carry(text: str) -> None:
    field = text_field("Subject", text)
    assert decoded(field) == header_text(text)
    parsed = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert parsed.keys() == ["Subject"]
    assert str(parsed["Subject"]) == header_text(text)
    assert max(map(len, field.split(b"\r\n"))) <= 78
    assert all(len(word) <= 75 for word in field.split() if word.startswith(b"=?"))


@given(VALUES)
def test_a_name_adds_neither_a_field_nor_an_address(name: str) -> None:
    field = mailbox_field("To", name, "ana@example.org")
    parsed = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert parsed.keys() == ["To"]
    assert [address.addr_spec for address in parsed["To"].addresses] == ["ana@example.org"]


def test_plain_text_stays_plain() -> None:
    assert text_field("Subject", "Bridge closes") == b"Subject: Bridge closes\r\n"
    assert mailbox_field("To", "Ana Novak", "a@b.example") == b"To: Ana Novak <a@b.example>\r\n"
    assert (
        mailbox_field("From", 'Post, "The"', "a@b.example")
        == b'From: "Post, \\"The\\"" <a@b.example>\r\n'
    )


def test_a_few_accents_are_readable_and_a_foreign_script_is_short() -> None:
    assert (
        text_field("Subject", "Crème fraîche")
        == b"Subject: =?utf-8?q?Cr=C3=A8me_fra=C3=AEche?=\r\n"
    )
    assert text_field("Subject", "جسر الميناء").startswith(b"Subject: =?utf-8?b?")


def test_what_only_looks_encoded_is_text() -> None:
    assert decoded(text_field("Subject", "=?utf-8?q?foo?=")) == "=?utf-8?q?foo?="


@pytest.mark.parametrize(
    "word", ["=?utf-8?q?foo=0ABcc=3A_v=40x?=", "=?utf-8?b?Zm9vCkJjYzogdkB4?=", "=?latin1?q?=85?="]
)
def test_what_would_decode_to_a_control_character_is_taken_out(word: str) -> None:
    assert header_text(f"Sale {word} today") == "Sale today"


def test_folding_keeps_the_words() -> None:
    field = text_field("Subject", "word " * 40)
    assert field.count(b"\r\n") > 2
    assert decoded(field) == ("word " * 40).strip()
