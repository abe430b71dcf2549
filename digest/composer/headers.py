"""The header of a message, and its fields: RFC 5322 lines, RFC 2047 words.

Nothing in a field can add a header of its own.

Written without the standard library's folding, which turns a long List-Unsubscribe into encoded
words and wrote words of 76 characters. `digest.composer.verify` parses each message that is
prepared.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from quopri import decodestring
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from digest.composer.links import ReaderLinks, mail_link, web_link
from digest.composer.mime import MimePlace, PlaceholderPosition, content_type
from digest.composer.personalization import PlaceholderMarkers
from digest.lib.email_address import wire_address
from digest.lib.text import plain
from digest.model.edition import RenderedVariant
from digest.model.newsletter import Newsletter, Site

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


def header_block(
    variant: RenderedVariant,
    *,
    nonce: str,
    site: Site,
    newsletter: Newsletter,
    links: ReaderLinks,
) -> Iterator[bytes | PlaceholderPosition]:
    """The fields in their order, and the empty line after them.

    The Message-ID is made of the edition's nonce and the delivery, so that a retry has the same.
    """
    sender = wire_address(newsletter.sender_address)
    yield mailbox_field("From", newsletter.sender_name, sender)
    yield PlaceholderPosition(MimePlace.TO)
    if newsletter.reply_to:
        yield mailbox_field("Reply-To", "", wire_address(newsletter.reply_to))
    yield text_field("Subject", variant.subject)
    yield PlaceholderPosition(MimePlace.DATE)
    yield f"Message-ID: <{nonce}.".encode()
    yield PlaceholderPosition(MimePlace.DELIVERY)
    yield f"@{sender.rpartition('@')[2]}>\r\n".encode()
    yield structured_field("List-Id", _list_id(site, newsletter))
    yield from _list_unsubscribe(links)
    if links.one_click:
        yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    yield structured_field("List-Help", [f"<{mail_link(newsletter.reply_address, 'help')}>"])
    yield b"List-Post: NO\r\n"
    yield structured_field("Content-Language", [variant.key.language.replace("_", "-")])
    yield b"MIME-Version: 1.0\r\n"
    yield content_type(PlaceholderMarkers.of(nonce))
    yield b"\r\n"


def field_names(newsletter: Newsletter, links: ReaderLinks) -> list[str]:
    """The fields that `header_block` writes, in their order."""
    return [
        *("From", "To"),
        *(("Reply-To",) if newsletter.reply_to else ()),
        *("Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe"),
        *(("List-Unsubscribe-Post",) if links.one_click else ()),
        *("List-Help", "List-Post", "Content-Language", "MIME-Version", "Content-Type"),
    ]


def _list_unsubscribe(links: ReaderLinks) -> Iterator[bytes | PlaceholderPosition]:
    """RFC 2369: addresses in brackets, never encoded words, folded after the comma only."""
    yield b"List-Unsubscribe: <"
    if links.pages:
        yield links.unsubscribe_root.encode()
        yield PlaceholderPosition(MimePlace.TOKEN)
        yield b">,\r\n <"
    yield links.unsubscribe_mail_root.encode()
    yield PlaceholderPosition(MimePlace.TOKEN)
    yield b">\r\n"


def _list_id(site: Site, newsletter: Newsletter) -> list[str]:
    """RFC 2919: stable, and its phrase in ASCII or not at all."""
    host = urlsplit(web_link(site.url)).hostname
    identity = f"<{newsletter.key}.{host}>"
    title = newsletter.title
    return [quoted_string(title), identity] if _fits_in_phrase(title) else [identity]


def _fits_in_phrase(title: str) -> bool:
    return title.isascii() and title.isprintable() and "=?" not in title and len(title) < 60


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
