"""A message as SMTP carries it: the envelope, and the data between DATA and the final dot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Final, NamedTuple

from digest.errors import SenderError
from digest.model.message import WireSafeChunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends a message, and to whom (RFC 5321 section 2.3.1): one message, one reader.

    Both are plain addresses (`name@example.org`), as people write them: a transport encodes what
    its server cannot take as it is. `mail_from` may be empty, which is the null sender of
    RFC 5321 section 4.5.5: nothing ever comes back to it.
    """

    mail_from: str
    rcpt_to: str


#: A message, whole or in pieces. Pieces that many messages share are best the same objects.
Message = bytes | Sequence[bytes]

#: Ends a message. The message is committed with it.
FINAL_DOT: Final = b".\r\n"

#: Octets from which on a piece is remembered; shorter ones are read each time.
_REMEMBERED_FROM: Final = 1000

#: More octets than an edition shares. Then all that is remembered is forgotten.
_REMEMBERED_AT_MOST: Final = 16_000_000


class OutgoingMessage(NamedTuple):
    """A message with its wire form, made once however often it is tried.

    `size` is what SIZE declares: dots that are stuffed and the final one do not count (RFC 1870
    section 5). `data` is in pieces, the last of which is the final dot.
    """

    envelope: Envelope
    size: int
    ascii_only: bool
    data: Sequence[bytes]


class MessageChecker:
    """Checks that a message can be written as it stands, or makes it so.

    Reading 20 KB for the few faults there could be takes longer than sending them. So a message may
    come in pieces, and what is long and shared by many messages is read once. A piece passes if it
    would be safe on lines of its own: then it is safe between any others. WireSafeChunks are not
    read at all.
    """

    def __init__(self) -> None:
        self._passed: set[bytes] = set()
        self._octets = 0

    def outgoing(self, envelope: Envelope, message: Message) -> OutgoingMessage:
        """The message in its wire form. Raises SenderError for a bare CR or LF.

        Servers disagree on what those end (RFC 5321 section 2.3.8), and a message must not be able
        to smuggle in a second one.
        """
        pieces = (message,) if isinstance(message, bytes) else message
        if isinstance(pieces, WireSafeChunks):
            return OutgoingMessage(
                envelope, _size(pieces), pieces[0].isascii(), (*pieces, FINAL_DOT)
            )
        if pieces and pieces[-1].endswith(b"\r\n") and self._pass(pieces):
            return OutgoingMessage(
                envelope, _size(pieces), ascii_only=True, data=(*pieces, FINAL_DOT)
            )
        text = _checked(b"".join(pieces))
        return OutgoingMessage(envelope, len(text), text.isascii(), (dot_stuffed(text), FINAL_DOT))

    def _pass(self, pieces: Sequence[bytes]) -> bool:
        unread = filterfalse(self._passed.__contains__, pieces)
        lines = b"\r\n".join((b"", *unread, b""))
        safe = b"\n." not in lines and lines.isascii() and _has_crlf_only(lines)
        if safe and len(lines) >= _REMEMBERED_FROM:
            self._remember(pieces)
        return safe

    def _remember(self, pieces: Iterable[bytes]) -> None:
        new = {piece for piece in pieces if len(piece) >= _REMEMBERED_FROM} - self._passed
        self._octets += sum(map(len, new))
        self._passed |= new
        if self._octets > _REMEMBERED_AT_MOST:
            self._octets = 0
            self._passed.clear()


def joined(message: Message) -> bytes:
    """The message in one piece."""
    return message if isinstance(message, bytes) else b"".join(message)


def dot_stuffed(message: bytes) -> bytes:
    """A second dot for every line that begins with one (RFC 5321 section 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _size(pieces: Iterable[bytes]) -> int:
    return sum(map(len, pieces))


def _checked(message: bytes) -> bytes:
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    if not _has_crlf_only(message):
        raise SenderError(
            "the message has a CR or LF that is not part of a CRLF",
            hint="This is a fault of the program that built the message; please report it.",
        )
    return message


def _has_crlf_only(text: bytes) -> bool:
    """Whether every CR and every LF is part of a CRLF."""
    return len(text) - len(text.translate(None, b"\r\n")) == 2 * text.count(b"\r\n")
