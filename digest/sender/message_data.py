"""The wire form of a message: what stands between DATA and the reply to the final dot.

The envelope: who hands a message over, and for whom (RFC 5321 section 2.3.1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Final, NamedTuple

from digest.errors import SenderError
from digest.model.message import WireSafeChunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message, one reader.

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

#: Octets from which on a piece is worth remembering; shorter ones are looked at each time.
_WORTH: Final = 1000

#: So many octets remembered are more than an edition shares: then they are forgotten.
_MOST: Final = 16_000_000


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
    """Sees to it that a message can be written as it stands, or makes it so.

    Reading 20 KB for the few faults there could be takes longer than sending them. So a message may
    come in pieces, and what is long and shared by many messages is read once. A piece passes if it
    would be sound on lines of its own: then it is sound between any others. SoundPieces are taken
    at their word.
    """

    def __init__(self) -> None:
        self._passed: set[bytes] = set()
        self._octets = 0

    def letter(self, envelope: Envelope, message: Message) -> OutgoingMessage:
        """The letter of a message. Raises SenderError for a line that does not end in CRLF.

        A bare CR or LF is refused, because servers disagree on what it ends (RFC 5321 section
        2.3.8), and a message must not be able to smuggle in a second one.
        """
        pieces = (message,) if isinstance(message, bytes) else message
        if isinstance(pieces, WireSafeChunks):
            return OutgoingMessage(
                envelope, _size(pieces), pieces[0].isascii(), (*pieces, FINAL_DOT)
            )
        if pieces and pieces[-1].endswith(b"\r\n") and self._pass(pieces):
            return OutgoingMessage(envelope, _size(pieces), True, (*pieces, FINAL_DOT))
        text = _checked(b"".join(pieces))
        return OutgoingMessage(envelope, len(text), text.isascii(), (dot_stuffed(text), FINAL_DOT))

    def _pass(self, pieces: Sequence[bytes]) -> bool:
        unread = filterfalse(self._passed.__contains__, pieces)
        apart = b"\r\n".join((b"", *unread, b""))
        sound = b"\n." not in apart and apart.isascii() and _in_lines(apart)
        if sound and len(apart) >= _WORTH:
            self._remember(pieces)
        return sound

    def _remember(self, pieces: Iterable[bytes]) -> None:
        new = {piece for piece in pieces if len(piece) >= _WORTH} - self._passed
        self._octets += sum(map(len, new))
        self._passed |= new
        if self._octets > _MOST:
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
    if not _in_lines(message):
        raise SenderError(
            "the message has a CR or LF that is not part of a CRLF",
            hint="This is a fault of the program that built the message; please report it.",
        )
    return message


def _in_lines(text: bytes) -> bool:
    """Whether every CR and every LF is part of a CRLF."""
    return len(text) - len(text.translate(None, b"\r\n")) == 2 * text.count(b"\r\n")
