"""The body of a message: its MIME parts (RFC 2045 to 2049), with holes where readers differ."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from digest.composer import quoted
from digest.composer.images import InlineImage
from digest.composer.slots import Markers, Slot
from digest.model.variant import RenderedVariant

_BASE64_LINE: Final = 76


class Place(Enum):
    """Where in a message a value stands, which decides how it is encoded."""

    TO = auto()
    DATE = auto()
    MESSAGE_ID = auto()
    LIST_UNSUBSCRIBE = auto()
    TEXT = auto()
    HTML = auto()


@dataclass(frozen=True, slots=True)
class Hole:
    """A place to fill; `slot` says with what where the place is in a body."""

    place: Place
    slot: Slot | None = None


def body(
    variant: RenderedVariant, nonce: str, images: Sequence[InlineImage]
) -> Iterator[bytes | Hole]:
    """The alternatives, plain text first; images stand with the HTML that shows them."""
    markers = Markers.of(nonce)
    # "=_" cannot occur in quoted-printable, nor "_" in base64: no body can hold a boundary.
    outer, inner = f"=_{markers.key}_alternative", f"=_{markers.key}_related"
    yield f'Content-Type: multipart/alternative;\r\n boundary="{outer}"\r\n'.encode()
    yield f"\r\n--{outer}\r\n".encode()
    yield from _text_part("plain", Place.TEXT, markers.cut(variant.text))
    yield f"\r\n--{outer}\r\n".encode()
    if images:
        yield (
            f'Content-Type: multipart/related; type="text/html";\r\n boundary="{inner}"\r\n'
            f"\r\n--{inner}\r\n"
        ).encode()
    yield from _text_part("html", Place.HTML, markers.cut(variant.html))
    for image in images:
        yield f"\r\n--{inner}\r\n".encode()
        yield _image_part(image)
    if images:
        yield f"\r\n--{inner}--\r\n".encode()
    yield f"\r\n--{outer}--\r\n".encode()


def _text_part(subtype: str, place: Place, pieces: Sequence[str | Slot]) -> Iterator[bytes | Hole]:
    yield (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
    last = len(pieces) - 1
    for index, piece in enumerate(pieces):
        if isinstance(piece, Slot):
            yield Hole(place, piece)
        elif index == last:
            yield quoted.encode(piece)
        else:
            yield quoted.encode_before_slot(piece)


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
