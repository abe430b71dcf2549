"""The wire form of a message: what stands between DATA and the final dot."""

from dataclasses import dataclass
from typing import Final

from digest.errors import SenderError
from digest.sender.envelope import Envelope

#: Ends a message whose wire form has been written. The message is committed with it.
FINAL_DOT: Final = b".\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message with its wire form, made once however often it is tried."""

    envelope: Envelope
    size: int
    ascii_only: bool
    body: bytes


def letter_of(envelope: Envelope, message: bytes) -> Letter:
    """The letter of a message. Raises SenderError for a line that does not end in CRLF.

    A bare CR or LF is refused, because servers disagree on what it ends (RFC 5321 section 2.3.8),
    and a message must not be able to smuggle in a second one.
    """
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    lines = message.count(b"\r\n")
    if message.count(b"\n") != lines or message.count(b"\r") != lines:
        raise SenderError(
            "the message has a CR or LF that is not part of a CRLF",
            hint="This is a fault of the program that built the message; please report it.",
        )
    return Letter(
        envelope=envelope,
        size=len(message),
        ascii_only=message.isascii(),
        body=dot_stuffed(message),
    )


def dot_stuffed(message: bytes) -> bytes:
    """A second dot for every line that begins with one (RFC 5321 section 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
