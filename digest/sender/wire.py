"""The wire form of a message: what stands between DATA and the reply to the final dot."""

from collections.abc import Iterable, Sequence
from itertools import filterfalse
from typing import Final, NamedTuple

from digest.errors import SenderError
from digest.sender.envelope import Envelope

#: A message, whole or in pieces. Pieces that many messages share are best the same objects.
Message = bytes | Sequence[bytes]

#: Ends a message. The message is committed with it.
FINAL_DOT: Final = b".\r\n"

#: How a message ends that has a line end of its own before the final dot.
_END: Final = b"\r\n" + FINAL_DOT

#: Octets from which on a piece is worth remembering; shorter ones are looked at each time.
_WORTH: Final = 1000

#: So many remembered pieces are more than any edition has, and none of them need be kept.
_MOST: Final = 4096


class Letter(NamedTuple):
    """A message with its wire form, made once however often it is tried.

    `size` is what SIZE declares: dots that are stuffed and the final one do not count (RFC 1870
    section 5). `data` ends with the final dot.
    """

    envelope: Envelope
    size: int
    ascii_only: bool
    data: bytes


class Inspector:
    """Sees to it that a message can be written as it stands, or makes it so.

    Reading 20 KB for the few faults there could be takes longer than sending them. So a message may
    come in pieces, and what is long and shared by many messages is read once. A piece passes if it
    would be sound on lines of its own: then it is sound between any others.
    """

    def __init__(self) -> None:
        self._passed: set[bytes] = set()

    def letter(self, envelope: Envelope, message: Message) -> Letter:
        """The letter of a message. Raises SenderError for a line that does not end in CRLF.

        A bare CR or LF is refused, because servers disagree on what it ends (RFC 5321 section
        2.3.8), and a message must not be able to smuggle in a second one.
        """
        pieces = (message,) if isinstance(message, bytes) else message
        data = b"".join((*pieces, FINAL_DOT))
        if data.endswith(_END) and self._pass(pieces):
            return Letter(envelope, len(data) - len(FINAL_DOT), True, data)
        text = _checked(data.removesuffix(FINAL_DOT))
        return Letter(envelope, len(text), text.isascii(), dot_stuffed(text) + FINAL_DOT)

    def _pass(self, pieces: Sequence[bytes]) -> bool:
        unread = filterfalse(self._passed.__contains__, pieces)
        apart = b"\r\n".join((b"", *unread, b""))
        sound = b"\n." not in apart and apart.isascii() and _in_lines(apart)
        if sound and len(apart) >= _WORTH:
            self._remember(pieces)
        return sound

    def _remember(self, pieces: Iterable[bytes]) -> None:
        if len(self._passed) > _MOST:
            self._passed.clear()
        self._passed.update(piece for piece in pieces if len(piece) >= _WORTH)


def whole(message: Message) -> bytes:
    """The message in one piece."""
    return message if isinstance(message, bytes) else b"".join(message)


def dot_stuffed(message: bytes) -> bytes:
    """A second dot for every line that begins with one (RFC 5321 section 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


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
