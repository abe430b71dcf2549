"""The layout of a form: which bytes stand where.

It is worked out once, so that filling a form is to find each of the reader's values once, to pick
everything in its order, and to join.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Final

from digest.composer.filling import text_and_html
from digest.composer.mime import Hole, Place
from digest.composer.values import Finder, finder_of
from digest.model.message import SoundPieces
from digest.model.subscriber import Recipient

#: The order in which `Layout.pieces` wants what fills the header.
HEADER_PLACES: Final = (Place.TO, Place.DATE, Place.DELIVERY, Place.TOKEN)

_Picker = Callable[[Sequence[bytes]], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The fixed bytes, how to find a reader's values, and how to pick a message out of both."""

    fixed: tuple[bytes, ...]
    finders: tuple[Finder, ...]
    header: _Picker
    body: _Picker

    def pieces(self, recipient: Recipient, *places: bytes) -> SoundPieces:
        """The header as one piece, then the body; `places` fill the HEADER_PLACES."""
        known = [*places]
        for find in self.finders:
            known += text_and_html(find(recipient))
        known += self.fixed
        return SoundPieces((b"".join(self.header(known)), *self.body(known)))


def laid_out(header: Iterable[bytes | Hole], body: Iterable[bytes | Hole]) -> Layout:
    """The layout of a header and a body with holes."""
    header, body = list(_joined(header)), list(_joined(body))
    # Each slot is found once and each fixed piece kept once, however often it stands there.
    every = list(dict.fromkeys(chain(header, body)))
    fixed = tuple(piece for piece in every if isinstance(piece, bytes))
    slots = tuple(dict.fromkeys(p.slot for p in every if isinstance(p, Hole) and p.slot))
    filled = [Hole(place) for place in HEADER_PLACES]
    for slot in slots:
        filled += [Hole(Place.TEXT, slot), Hole(Place.HTML, slot)]
    index = {piece: index for index, piece in enumerate((*filled, *fixed))}
    return Layout(
        fixed=fixed,
        finders=tuple(map(finder_of, slots)),
        header=_picker([index[piece] for piece in header]),
        body=_picker([index[piece] for piece in body]),
    )


def _joined(pieces: Iterable[bytes | Hole]) -> Iterator[bytes | Hole]:
    """Neighbouring bytes as one, so that there is as little to join as possible."""
    held = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            held += piece
            continue
        if held:
            yield held
        held = b""
        yield piece
    if held:
        yield held


def _picker(order: Sequence[int]) -> _Picker:
    pick = itemgetter(*order)
    return pick if len(order) > 1 else lambda known: (pick(known),)
