"""Quoted-printable (RFC 2045 section 6.7), written so that a text can be cut and filled.

Before and after every slot the encoded text ends with a soft line break, so that a value is encoded
for itself and no value, however long, can push a line beyond 76 characters. No line begins with a
dot or with `From `, so that nothing on the way has to touch the text.
"""

import re
from typing import Final

#: RFC 2045: octets of an encoded line without its CRLF.
LINE: Final = 76
_SOFT: Final = "=\r\n"

_UNSAFE = re.compile(rb"[^\t\x20-\x3c\x3e-\x7e]+")
_LAST_SPACE = re.compile(rb"[\t ]\Z")
_ESCAPES = tuple(b"=%02X" % octet for octet in range(256))
_ESCAPE_LENGTH = 3


def encode(text: str) -> bytes:
    """A text to whose end nothing is added: a line feed becomes CRLF."""
    return _joined(text, at_end="").encode("ascii")


def encode_before_slot(text: str) -> bytes:
    """A text that a slot follows: it ends at the beginning of an encoded line."""
    return _joined(text, at_end=_SOFT).encode("ascii")


def encode_value(value: str) -> bytes:
    """What fills a slot: whole encoded lines, each of which ends with a soft break."""
    escaped = _escaped(value.encode("utf-8"), ends=False)
    # Nearly always one line is enough, and it begins with nothing that has to be hidden.
    if 0 < len(escaped) < LINE and escaped[0] not in ".F" and "\n" not in value:
        return f"{escaped}{_SOFT}".encode("ascii")
    return encode_before_slot(value)


def short_value(value: str) -> bytes:
    """`encode_value` of fewer than LINE characters that need no encoding, without looking."""
    return f"{value}{_SOFT}".encode("ascii")


def encoded_size(text: str) -> int:
    """The octets of `encode(text)`."""
    return len(encode(text))


def _joined(text: str, *, at_end: str) -> str:
    *lines, last = text.encode("utf-8").split(b"\n")
    encoded = [_SOFT.join(_folded(_escaped(line, ends=True))) for line in lines]
    tail = _SOFT.join(_folded(_escaped(last, ends=not at_end)))
    if tail:
        tail += at_end
    return "\r\n".join([*encoded, tail])


def _escaped(line: bytes, *, ends: bool) -> str:
    line = _UNSAFE.sub(_as_escapes, line)
    if ends:
        line = _LAST_SPACE.sub(_as_escapes, line)
    return line.decode("ascii")


def _as_escapes(octets: re.Match[bytes]) -> bytes:
    return b"".join([_ESCAPES[octet] for octet in octets[0]])


def _folded(line: str) -> list[str]:
    """The encoded line in pieces that leave room for the `=` of a soft break."""
    pieces = []
    while line:
        if line.startswith("."):
            line = "=2E" + line[1:]
        elif line.startswith("From "):
            line = "=46" + line[1:]
        if len(line) <= LINE - 1:
            pieces.append(line)
            break
        end = LINE - 1
        escape = line.rfind("=", end - _ESCAPE_LENGTH + 1, end)
        if escape >= 0:
            end = escape
        pieces.append(line[:end])
        line = line[end:]
    return pieces
