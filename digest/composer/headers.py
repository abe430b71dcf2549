"""Header fields: RFC 5322 lines, RFC 2047 words, and nothing that adds a header of its own.

Written without the standard library's folding, which turns a long List-Unsubscribe into encoded
words and wrote words of 76 characters. `digest.composer.verify` parses each message that is
prepared.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from quopri import decodestring
from typing import Final
from zoneinfo import ZoneInfo

from digest.lib.email_address import wire_address
from digest.lib.text import plain

#: RFC 5322 section 2.1.1: the length to aim at, and RFC 2047's limit of an encoded word.
LINE: Final = 78
WORD: Final = 75

_ENCODED_WORD = re.compile(r"=\?([^?*\s]+)[^?\s]*\?([bqBQ])\?([^?]*)\?=")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ATOMS = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
# The characters that RFC 2047 section 5 (3) allows everywhere, so in a name too.
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = tuple(
    chr(octet) if octet in _Q_SAFE else "_" if octet == ord(" ") else f"={octet:02X}"
    for octet in range(256)
)
_TO_FRAME: Final = len("To:  <>")
_OPENING, _CLOSING = "=?utf-8?{}?", "?="


def header_text(text: str) -> str:
    """Text as a header may say it: one line, without control characters, decoded or not.

    Something like `=?utf-8?q?=0ABcc=3A_x?=` in a feed is text to us and is encoded as such; should
    anybody on the way decode it twice, it must not become a header: then it is taken out.
    """
    text = plain(text)
    if "=?" not in text:
        return text
    return plain(_ENCODED_WORD.sub(lambda m: "" if _hides_control(m) else m[0], text))


def text_field(name: str, text: str) -> bytes:
    """A field of free text, such as Subject."""
    text = header_text(text)
    if _is_simple(text):
        return structured_field(name, text.split(" "))
    return structured_field(name, _encoded_words(text, first=LINE - len(name) - 2))


def mailbox_field(name: str, display: str, address: str) -> bytes:
    """A field that holds one mailbox: From, Reply-To, To. `address` comes from `wire_address`."""
    display = header_text(display)
    if not display:
        return structured_field(name, [f"<{address}>" if name == "From" else address])
    if _ATOMS.fullmatch(display) and len(display) < WORD - len(name):
        phrase = display.split(" ")
    elif _is_simple(display) and len(display) < WORD - len(name):
        phrase = [quoted_string(display)]
    else:
        phrase = _encoded_words(display, first=LINE - len(name) - 2)
    return structured_field(name, [*phrase, f"<{address}>"])


def to_field(name: str, email: str) -> bytes:
    """The field To. Raises SubscriberError for an address that no header can carry."""
    address = wire_address(email)
    fits = len(name) + len(address) <= LINE - _TO_FRAME
    if fits and (not name or _ATOMS.fullmatch(name)):
        return (f"To: {name} <{address}>\r\n" if name else f"To: {address}\r\n").encode()
    return mailbox_field("To", name, address)


def date_field(moment: datetime, zone: ZoneInfo) -> bytes:
    """The field Date, in the zone's own time."""
    return _date_field(int(moment.timestamp()), zone)


@lru_cache(maxsize=64)
def _date_field(second: int, zone: ZoneInfo) -> bytes:
    date = format_datetime(datetime.fromtimestamp(second, zone))
    return structured_field("Date", [date])


def structured_field(name: str, tokens: Sequence[str]) -> bytes:
    """A field of these tokens, folded between them; a token is never broken."""
    lines, line = [], f"{name}:"
    for index, token in enumerate(tokens):
        if index and len(line) + 1 + len(token) > LINE:
            lines.append(line)
            line = ""
        line += " " + token
    return "\r\n".join([*lines, line, ""]).encode()


def quoted_string(text: str) -> str:
    """A quoted string (RFC 5322 section 3.2.4) of printable ASCII."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_simple(text: str) -> bool:
    """Whether it can stand as it is: ASCII, no word too long for a line, nothing to be decoded."""
    short = all(len(word) < LINE // 2 for word in text.split(" "))
    return text.isascii() and short and "=?" not in text


def _hides_control(word: re.Match[str]) -> bool:
    charset, letter, body = word[1], word[2], word[3].encode("utf-8", "replace")
    try:
        raw = b64decode(body + b"==") if letter in "bB" else decodestring(body, header=True)
    except ValueError:
        return True
    try:
        text = raw.decode(charset, "ignore")
    except LookupError:
        text = raw.decode("latin-1")
    return bool(_CONTROL.search(text))


def _encoded_words(text: str, *, first: int) -> list[str]:
    """The text as encoded words; characters stay whole. Q can be read, so B must be far shorter."""
    in_q, in_b = (_packed(text, first, *encoding) for encoding in (("q", _q), ("b", _b)))
    return in_q if sum(map(len, in_q)) <= 1.4 * sum(map(len, in_b)) else in_b


def _packed(text: str, first: int, letter: str, encode: Callable[[bytes], str]) -> list[str]:
    opening = _OPENING.format(letter)
    room = min(WORD, first) - len(opening) - len(_CLOSING)
    whole = encode(text.encode())
    if len(whole) <= room:
        return [opening + whole + _CLOSING]
    words, held = [], b""
    for character in text:
        octets = character.encode()
        if held and len(encode(held + octets)) > room:
            words.append(opening + encode(held) + _CLOSING)
            held, room = b"", WORD - len(opening) - len(_CLOSING)
        held += octets
    return [*words, opening + encode(held) + _CLOSING]


def _q(octets: bytes) -> str:
    return "".join([_Q[octet] for octet in octets])


def _b(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
