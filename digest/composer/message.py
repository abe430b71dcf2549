"""The message form: finished MIME bytes, cut at the few places that differ from reader to reader.

An edition's variant becomes a form once; filling it for a reader is joining bytes. Every place has
its own encoding, so that no value, whatever its length, script or malice, can break a line limit,
an encoding, the HTML or the header block. Dot-stuffing has nothing to do: no line begins with a
dot.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.composer.dkim import DkimSigner, PreparedSignature
from digest.composer.dkim_proof import prove_signed
from digest.composer.filling import date_field, to_field
from digest.composer.images import images_of
from digest.composer.layout import Layout, laid_out
from digest.composer.letterhead import field_names, letterhead
from digest.composer.links import reader_links, token_part
from digest.composer.mime import body
from digest.composer.slots import Markers
from digest.composer.verify import prove
from digest.composer.verp import ReturnPaths
from digest.errors import SenderError
from digest.lib.email_address import mailable
from digest.model.edition import Edition, RenderedVariant
from digest.model.message import SoundPieces
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

# A reader whose name tries everything that a header must withstand.
_PROBE = Recipient(
    email="reader@example.com",
    token="-",  # noqa: S106 - nobody's
    name='Ana "=?utf-8?q?=0A?=" Ć, <x@y>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageForm:
    """One variant's message for every reader of it. Made by `build_form`."""

    layout: Layout
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
        Raises AudienceError for an address that no header can carry.
        """
        return b"".join(self.pieces(recipient, delivery_id=delivery_id, date=date))

    def pieces(self, recipient: Recipient, *, delivery_id: int, date: datetime) -> SoundPieces:
        """What `fill` joins: the header with the empty line after it, then the body, cut at slots.

        Each piece is whole lines. The second, the body up to the first slot, is the same for all.
        """
        pieces = self.layout.pieces(
            recipient,
            to_field(recipient.name, recipient.email),
            date_field(date, self.timezone),
            b"%d" % delivery_id,
            token_part(recipient.token).encode("ascii"),
        )
        return pieces if self.signature is None else self.signature.signed(pieces)


def build_form(
    variant: RenderedVariant,
    edition: Edition,
    *,
    site: Site,
    newsletter: Newsletter,
    images_folder: Path,
    verp_key: bytes | None = None,
    signer: DkimSigner | None = None,
) -> MessageForm:
    """The form of a rendered variant; `images_folder` holds the images that travel along.

    With `verp_key` and a bounce address, bounces of each delivery come back to an address of its
    own. With `signer` every message is signed (DKIM), which takes nearly a millisecond and lets
    other threads run. The form is filled once and parsed by the standard library before it is given
    away.
    Raises TemplateError for an image that is not there, SenderError if the proof fails.
    """
    images = images_of(variant, edition, newsletter, images_folder)
    links = reader_links(site, newsletter, edition.number)
    markers = Markers.of(edition.nonce)
    form = MessageForm(
        layout=laid_out(
            letterhead(variant, nonce=edition.nonce, site=site, newsletter=newsletter, links=links),
            body(variant, markers, links, images),
        ),
        return_paths=_return_paths(edition, newsletter, verp_key),
        timezone=newsletter.timezone,
    )
    probe = form.pieces(_PROBE, delivery_id=1, date=edition.cutoff)
    if not probe.hold:
        raise SenderError("the message cannot go out: it is not cut between whole, plain lines")
    prove(
        b"".join(probe),
        recipient=_PROBE,
        subject=variant.subject,
        newsletter=newsletter,
        fields=field_names(site, newsletter),
    )
    return _signed(form, signer, edition.cutoff) if signer else form


def _signed(form: MessageForm, signer: DkimSigner, date: datetime) -> MessageForm:
    example = form.pieces(_PROBE, delivery_id=1, date=date)
    signed = replace(form, signature=signer.prepare(example, form.layout.fixed))
    prove_signed(signed.fill(_PROBE, delivery_id=1, date=date), signer)
    return signed


def _return_paths(edition: Edition, newsletter: Newsletter, key: bytes | None) -> ReturnPaths:
    return ReturnPaths(
        address=mailable(newsletter.bounce_address or newsletter.sender_address),
        day=edition.cutoff.astimezone(newsletter.timezone).date(),
        key=key if newsletter.bounce_address else None,
    )
