"""The body of a message: its MIME parts (RFC 2045 to 2049), with holes where readers differ."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from digest.composer import quoted
from digest.composer.images import InlineImage
from digest.composer.links import ReaderLinks
from digest.composer.slots import Markers, Slot
from digest.composer.values import parts_of
from digest.model.edition import RenderedVariant

_BASE64_LINE: Final = 76


class Place(Enum):
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
class Hole:
    """A place to fill; `slot` says with what where the place is in a body."""

    place: Place
    slot: Slot | None = None


def content_type(markers: Markers) -> bytes:
    """The field of the header that announces the body."""
    outer, _ = _boundaries(markers)
    return f'Content-Type: multipart/alternative;\r\n boundary="{outer}"\r\n'.encode()


def body(
    variant: RenderedVariant, markers: Markers, links: ReaderLinks, images: Sequence[InlineImage]
) -> Iterator[bytes | Hole]:
    """The alternatives, plain text first; images stand with the HTML that shows them.

    What stands between two holes is whole lines, and so must be what fills one.
    """
    outer, inner = _boundaries(markers)
    yield f"--{outer}\r\n".encode()
    yield from _text_part("plain", Place.TEXT, _parts(markers.cut(variant.text), links, str))
    yield f"\r\n--{outer}\r\n".encode()
    if images:
        yield (
            f'Content-Type: multipart/related; type="text/html";\r\n boundary="{inner}"\r\n'
            f"\r\n--{inner}\r\n"
        ).encode()
    yield from _text_part("html", Place.HTML, _parts(markers.cut(variant.html), links, html.escape))
    for image in images:
        yield f"\r\n--{inner}\r\n".encode()
        yield _image_part(image)
    if images:
        yield f"\r\n--{inner}--\r\n".encode()
    yield f"\r\n--{outer}--\r\n".encode()


def _boundaries(markers: Markers) -> tuple[str, str]:
    # "=_" cannot occur in quoted-printable, nor "_" in base64: no body can hold a boundary.
    return f"=_{markers.key}_alternative", f"=_{markers.key}_related"


def _parts(
    pieces: Iterable[str | Slot], links: ReaderLinks, written: Callable[[str], str]
) -> Iterator[str | Slot]:
    """The pieces with every slot taken apart: what is the same for all readers is text."""
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
            continue
        for part in parts_of(piece, links):
            yield written(part) if isinstance(part, str) else part


def _text_part(subtype: str, place: Place, parts: Iterable[str | Slot]) -> Iterator[bytes | Hole]:
    yield (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        yield quoted.encode_before_slot(text)
        yield Hole(place, part)
        text = ""
    yield quoted.encode(text)


def _image_part(image: InlineImage) -> bytes:
    encoded = b64encode(image.data).decode("ascii")
    starts = range(0, len(encoded), _BASE64_LINE)
    lines = [encoded[start : start + _BASE64_LINE] for start in starts]
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
