"""The prepared message: finished MIME bytes, cut at the few places that differ between readers.

An edition's variant is prepared once; filling it for a reader is joining bytes. Every place has its
own encoding, so that no value, whatever its length, script or malice, can break a line limit, an
encoding, the HTML or the header block. Dot-stuffing has nothing to do: no line begins with a dot.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from digest.composer.dkim import DkimSigner, PreparedSignature
from digest.composer.headers import (
    date_field,
    field_names,
    header_block,
    to_field,
)
from digest.composer.images import images_of
from digest.composer.links import reader_links, token_part
from digest.composer.mime import MimePlace, PlaceholderPosition, body, text_and_html
from digest.composer.personalization import Finder, PlaceholderMarkers, finder_of
from digest.composer.verify import verify_message, verify_signatures
from digest.errors import SenderError
from digest.lib.email_address import wire_address
from digest.lib.verp import ReturnPaths
from digest.model.edition import Edition, RenderedVariant
from digest.model.message import WireSafeChunks
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

# A reader whose name tries everything that a header must withstand.
_PROBE = Recipient(
    email="reader@example.com",
    token="-",  # noqa: S106 - nobody's
    name='Ana "=?utf-8?q?=0A?=" Ć, <x@y>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedMessage:
    """One variant's message for every reader of it. Made by `prepare_message`."""

    layout: "MessageLayout"
    return_paths: ReturnPaths
    timezone: ZoneInfo
    signature: PreparedSignature | None = None

    def mail_from(self, delivery_id: int) -> str:
        """The envelope's sender for a delivery, the same on every retry."""
        return self.return_paths.of(delivery_id)

    def fill(self, recipient: Recipient, *, delivery_id: int, date: datetime) -> bytes:
        """The message for one reader: RFC 5322 lines with CRLF, none of which begins with a dot.

        The Message-ID is made of the edition and `delivery_id`, so that a retry has the same one.
        A local part beyond ASCII makes the To field UTF-8 (RFC 6532); everything else is ASCII.
        Raises SubscriberError for an address that no header can carry.
        """
        return b"".join(self.pieces(recipient, delivery_id=delivery_id, date=date))

    def pieces(self, recipient: Recipient, *, delivery_id: int, date: datetime) -> WireSafeChunks:
        """What `fill` joins: the header with the empty line after it, then the body in pieces.

        Each is whole lines. The second, the body up to the first placeholder, is the same for all.
        """
        pieces = self.layout.pieces(
            recipient,
            to_field(recipient.name, recipient.email),
            date_field(date, self.timezone),
            b"%d" % delivery_id,
            token_part(recipient.token).encode("ascii"),
        )
        return pieces if self.signature is None else self.signature.signed(pieces)


def prepare_message(
    variant: RenderedVariant,
    edition: Edition,
    *,
    site: Site,
    newsletter: Newsletter,
    images_folder: Path,
    verp_key: bytes | None = None,
    signer: DkimSigner | None = None,
) -> PreparedMessage:
    """The message of a rendered variant; `images_folder` holds the images that travel along.

    With `verp_key` and a bounce address, bounces of each delivery come back to an address of its
    own. With `signer` every message is signed (DKIM), which takes nearly a millisecond and lets
    other threads run. The message is filled once and parsed by the standard library before it is
    given away.
    Raises TemplateError for an image that is not there, SenderError for a message that is wrong.
    """
    images = images_of(variant, edition, newsletter, images_folder)
    links = reader_links(site, newsletter, edition.number)
    markers = PlaceholderMarkers.of(edition.nonce)
    message = PreparedMessage(
        layout=lay_out(
            header_block(
                variant, nonce=edition.nonce, site=site, newsletter=newsletter, links=links
            ),
            body(variant, markers, links, images),
        ),
        return_paths=_return_paths(edition, newsletter, verp_key),
        timezone=newsletter.timezone,
    )
    probe = message.pieces(_PROBE, delivery_id=1, date=edition.cutoff)
    if not probe.hold:
        raise SenderError("the message cannot be sent: it is not in pieces of whole lines")
    verify_message(
        b"".join(probe),
        recipient=_PROBE,
        subject=variant.subject,
        newsletter=newsletter,
        fields=field_names(newsletter, links),
    )
    if signer is None:
        return message
    signed = replace(message, signature=signer.prepare(probe, message.layout.fixed))
    verify_signatures(signed.fill(_PROBE, delivery_id=1, date=edition.cutoff), signer)
    return signed


def _return_paths(edition: Edition, newsletter: Newsletter, key: bytes | None) -> ReturnPaths:
    return ReturnPaths(
        address=wire_address(newsletter.bounce_address or newsletter.sender_address),
        day=edition.cutoff.astimezone(newsletter.timezone).date(),
        key=key if newsletter.bounce_address else None,
    )


#: The order in which `MessageLayout.pieces` wants what fills the header.
HEADER_PLACES: Final = (MimePlace.TO, MimePlace.DATE, MimePlace.DELIVERY, MimePlace.TOKEN)

_Picker = Callable[[Sequence[bytes]], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLayout:
    """The fixed bytes, how to find a reader's values, and how to pick a message out of both."""

    fixed: tuple[bytes, ...]
    finders: tuple[Finder, ...]
    header: _Picker
    body: _Picker

    def pieces(self, recipient: Recipient, *places: bytes) -> WireSafeChunks:
        """The header as one piece, then the body; `places` fill the HEADER_PLACES."""
        known = [*places]
        for find in self.finders:
            known += text_and_html(find(recipient))
        known += self.fixed
        return WireSafeChunks((b"".join(self.header(known)), *self.body(known)))


def lay_out(
    header: Iterable[bytes | PlaceholderPosition], body: Iterable[bytes | PlaceholderPosition]
) -> MessageLayout:
    """The layout of a header and a body with placeholders."""
    header, body = list(_joined(header)), list(_joined(body))
    # Each value is found once and each fixed piece kept once, however often it stands there.
    every = list(dict.fromkeys(chain(header, body)))
    fixed = tuple(piece for piece in every if isinstance(piece, bytes))
    placeholders = tuple(
        dict.fromkeys(
            p.placeholder for p in every if isinstance(p, PlaceholderPosition) and p.placeholder
        )
    )
    filled = [PlaceholderPosition(place) for place in HEADER_PLACES]
    for placeholder in placeholders:
        filled += (PlaceholderPosition(p, placeholder) for p in (MimePlace.TEXT, MimePlace.HTML))
    index = {piece: index for index, piece in enumerate((*filled, *fixed))}
    return MessageLayout(
        fixed=fixed,
        finders=tuple(map(finder_of, placeholders)),
        header=_picker([index[piece] for piece in header]),
        body=_picker([index[piece] for piece in body]),
    )


def _joined(pieces: Iterable[bytes | PlaceholderPosition]) -> Iterator[bytes | PlaceholderPosition]:
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
