"""A plain message is a proper one, whatever stands in it."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from digest.composer.plain_message import plain_message
from digest.model.newsletter import Newsletter

NEWSLETTER = Newsletter(
    key="daily",
    title="The Morning Tide",
    sender_name="Harbour Gazette",
    sender_address="tide@gazette.example",
    language="en",
    timezone=ZoneInfo("Europe/London"),
)
FIELDS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    *("Content-Type", "Content-Transfer-Encoding"),
]


def written(subject: str, text: str) -> bytes:
    header, body = plain_message(
        NEWSLETTER,
        to="owner@gazette.example",
        subject=subject,
        text=text,
        key="notice.1",
        date=datetime(2026, 3, 12, 7, tzinfo=UTC),
    )
    return header + body


@given(subject=st.text(max_size=200), text=st.text(max_size=400))
@example(subject="=?utf-8?q?foo=0ABcc=3A_v=40x?=", text="a\r\n.\r\nBcc: v@x.example")
@example(subject="a\nBcc: v@x.example", text=".")
def test_no_subject_and_no_text_can_break_it(subject: str, text: str) -> None:
    message = written(subject, text)
    parsed = message_from_bytes(message)
    assert parsed.keys() == FIELDS
    lines = message.split(b"\r\n")
    assert all(len(line) <= 78 and b"\n" not in line and b"\r" not in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    assert message.isascii()


def test_it_is_read_as_it_was_written() -> None:
    message = message_from_bytes(
        written("„Zürich“ schweigt", "Zwei Zeilen,\n  eine eingerückt.\n"), policy=policy.default
    )
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "„Zürich“ schweigt"
    assert message["Message-ID"] == "<notice.1@gazette.example>"
    assert message["Date"] == "Thu, 12 Mar 2026 07:00:00 +0000"
    assert message.get_content() == "Zwei Zeilen,\r\n  eine eingerückt.\r\n"
