"""The body of a message: its MIME parts (RFC 2045 to 2049), with places to fill for each reader.

Texts are quoted-printable (RFC 2045 section 6.7), written so that they can be cut and filled:
before and after every placeholder the encoded text ends with a soft line break. So a value is
encoded for itself, and none, however long, can push a line beyond 76 characters. No line begins
with a dot or with `From `, so that nothing on the way has to touch the text.
"""

import html
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from digest.composer.images import InlineImage
from digest.composer.links import ReaderLinks
from digest.composer.personalization import Placeholder, PlaceholderMarkers, parts_of
from digest.lib.text import plain
from digest.model.edition import RenderedVariant

#: RFC 2045: octets of an encoded line without its CRLF.
LINE: Final = 76
_SOFT: Final = "=\r\n"

# Printable ASCII that stays as it is: in words with one space between them, nothing that HTML or
# quoted-printable writes otherwise, and no beginning that mail programs take for something else.
_UNCHANGED: Final = re.compile(r"(?!\.|From )[!#-%(-;?-~]+(?: [!#-%(-;?-~]+)*")
_UNSAFE = re.compile(rb"[^\t\x20-\x3c\x3e-\x7e]+")
_LAST_SPACE = re.compile(rb"[\t ]\Z")
_ESCAPES = tuple(b"=%02X" % octet for octet in range(256))
_ESCAPE_LENGTH = 3


class MimePlace(Enum):
    """Where in a message a value stands, which decides how it is encoded.

    TO and DATE are whole fields of the header; DELIVERY and TOKEN stand inside one.
    """

    TO = auto()
    DATE = auto()
    DELIVERY = auto()
    TOKEN = auto()
    TEXT = auto()
    HTML = auto()


@dataclass(frozen=True, slots=True)
class PlaceholderPosition:
    """A place to fill; `placeholder` says with what where the place is in a body."""

    place: MimePlace
    placeholder: Placeholder | None = None


def content_type(markers: PlaceholderMarkers) -> bytes:
    """The field of the header that announces the body."""
    outer, _ = _boundaries(markers)
    return f'Content-Type: multipart/alternative;\r\n boundary="{outer}"\r\n'.encode()


def body(
    variant: RenderedVariant,
    markers: PlaceholderMarkers,
    links: ReaderLinks,
    images: Sequence[InlineImage],
) -> Iterator[bytes | PlaceholderPosition]:
    """The alternatives, plain text first; images stand with the HTML that shows them.

    What stands between two placeholders is whole lines, and so must be what fills one.
    """
    outer, inner = _boundaries(markers)
    yield f"--{outer}\r\n".encode()
    yield from _text_part("plain", MimePlace.TEXT, _parts(markers.cut(variant.text), links, str))
    yield f"\r\n--{outer}\r\n".encode()
    if images:
        yield (
            f'Content-Type: multipart/related; type="text/html";\r\n boundary="{inner}"\r\n'
            f"\r\n--{inner}\r\n"
        ).encode()
    yield from _text_part(
        "html", MimePlace.HTML, _parts(markers.cut(variant.html), links, html.escape)
    )
    for image in images:
        yield f"\r\n--{inner}\r\n".encode()
        yield _image_part(image)
    if images:
        yield f"\r\n--{inner}--\r\n".encode()
    yield f"\r\n--{outer}--\r\n".encode()


def _boundaries(markers: PlaceholderMarkers) -> tuple[str, str]:
    # "=_" cannot occur in quoted-printable, nor "_" in base64: no body can hold a boundary.
    return f"=_{markers.key}_alternative", f"=_{markers.key}_related"


def _parts(
    pieces: Iterable[str | Placeholder], links: ReaderLinks, written: Callable[[str], str]
) -> Iterator[str | Placeholder]:
    """The pieces with every placeholder taken apart: what is the same for all readers is text."""
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
            continue
        for part in parts_of(piece, links):
            yield written(part) if isinstance(part, str) else part


def _text_part(
    subtype: str, place: MimePlace, parts: Iterable[str | Placeholder]
) -> Iterator[bytes | PlaceholderPosition]:
    yield (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        yield encode_before_placeholder(text)
        yield PlaceholderPosition(place, part)
        text = ""
    yield encode(text)


def _image_part(image: InlineImage) -> bytes:
    encoded = b64encode(image.data).decode("ascii")
    starts = range(0, len(encoded), LINE)
    lines = [encoded[start : start + LINE] for start in starts]
    return "\r\n".join(
        [
            f"Content-Type: image/{image.subtype}",
            "Content-Transfer-Encoding: base64",
            f"Content-ID: <{image.content_id}>",
            f'Content-Disposition: inline; filename="{image.filename}"',
            "",
            *lines,
        ]
    ).encode()


def encode(text: str) -> bytes:
    """A text to whose end nothing is added: a line feed becomes CRLF."""
    return _joined(text, at_end="").encode("ascii")


def encode_before_placeholder(text: str) -> bytes:
    """A text that a placeholder follows: it ends at the beginning of an encoded line."""
    return _joined(text, at_end=_SOFT).encode("ascii")


def encode_value(value: str) -> bytes:
    """What fills a placeholder: whole encoded lines, each of which ends with a soft break."""
    escaped = _escaped(value.encode("utf-8"), ends=False)
    # Nearly always one line is enough, and it begins with nothing that has to be hidden.
    if 0 < len(escaped) < LINE and escaped[0] not in ".F" and "\n" not in value:
        return f"{escaped}{_SOFT}".encode("ascii")
    return encode_before_placeholder(value)


def text_and_html(value: str) -> tuple[bytes, bytes]:
    """A value for a placeholder of either part, as whole lines of quoted-printable.

    In HTML it may stand between tags and in an attribute with quotation marks of either kind.
    """
    if not value:
        return b"", b""
    if _UNCHANGED.fullmatch(value):
        fits = len(value) < LINE
        same = f"{value}{_SOFT}".encode("ascii") if fits else encode_value(value)
        return same, same
    text = plain(value)
    page = html.escape(text)
    encoded = encode_value(text)
    return encoded, encoded if page == text else encode_value(page)


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
