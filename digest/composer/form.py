"""The message form: finished MIME bytes, cut at the few places that differ from reader to reader.

An edition's variant becomes a form once; filling it for a reader is joining bytes. Every place has
its own encoding, so that no value, whatever its length, script or malice, can break a line limit,
an encoding, the HTML or the header block. Dot-stuffing is left to the transport, and has nothing
to do: no line begins with a dot.
"""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from digest.composer import quoted
from digest.composer.addresses import mailable
from digest.composer.body import Hole, Place, body
from digest.composer.headers import mailbox_field, quoted_string, structured_field, text_field
from digest.composer.images import images_of
from digest.composer.links import ReaderLinks, reader_links, web_link
from digest.composer.proof import prove
from digest.composer.slots import ReaderValues
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient
from digest.model.variant import RenderedVariant

# A reader whose name tries everything that a header must withstand.
_PROBE = Recipient(
    email="reader@example.com",
    token="-",  # noqa: S106 - nobody's
    name='Ana "=?utf-8?q?=0A?=" Ć, <x@y>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageForm:
    """One variant's message for every reader of it. `mail_from` is the envelope's sender."""

    mail_from: str
    pieces: tuple[bytes | Hole, ...]
    links: ReaderLinks
    answers: str
    nonce: str
    timezone: ZoneInfo

    def fill(self, recipient: Recipient, *, delivery_id: int, date: datetime) -> bytes:
        """The message for one reader: RFC 5322 lines with CRLF, dots not stuffed.

        The Message-ID is made of the edition and `delivery_id`, so that a retry has the same one.
        A local part beyond ASCII makes the To field UTF-8 (RFC 6532); everything else is ASCII.
        Raises AudienceError for an address that no header can carry.
        """
        values = ReaderValues(recipient, self.links)
        known: dict[Hole, bytes] = {
            Hole(Place.TO): mailbox_field("To", recipient.name, mailable(recipient.email)),
            Hole(Place.DATE): _date(date.astimezone(self.timezone)),
            Hole(Place.MESSAGE_ID): self._message_id(delivery_id),
            Hole(Place.LIST_UNSUBSCRIBE): self._list_unsubscribe(recipient.token),
        }
        filled = []
        for piece in self.pieces:
            if isinstance(piece, bytes):
                filled.append(piece)
                continue
            if piece not in known:
                known[piece] = _encoded(piece, values)
            filled.append(known[piece])
        return b"".join(filled)

    def _message_id(self, delivery_id: int) -> bytes:
        domain = self.mail_from.rpartition("@")[2]
        return structured_field("Message-ID", [f"<{self.nonce}.{delivery_id}@{domain}>"])

    def _list_unsubscribe(self, token: str) -> bytes:
        """RFC 2369: addresses in brackets, never encoded words, folded after the comma only."""
        subject = quote(f"unsubscribe {token}", safe="")
        mailto = f"<mailto:{quote(self.answers, safe='@')}?subject={subject}>"
        return structured_field("List-Unsubscribe", [f"<{self.links.unsubscribe(token)}>,", mailto])


def build_form(
    variant: RenderedVariant,
    edition: Edition,
    *,
    site: Site,
    newsletter: Newsletter,
    images_folder: Path,
) -> MessageForm:
    """The form of a rendered variant; `images_folder` holds the images that travel along.

    The form is filled once and parsed by the standard library before it is given away.
    Raises TemplateError for an image that is not there, SenderError if the proof fails.
    """
    images = images_of(variant, edition, newsletter, images_folder)
    sender = mailable(newsletter.sender_address)
    form = MessageForm(
        mail_from=sender,
        pieces=tuple(
            _joined([*_header(variant, site, newsletter), *body(variant, edition.nonce, images)])
        ),
        links=reader_links(site, newsletter, edition.number),
        answers=mailable(newsletter.reply_to or sender),
        nonce=edition.nonce,
        timezone=newsletter.timezone,
    )
    prove(
        form.fill(_PROBE, delivery_id=1, date=edition.cutoff),
        recipient=_PROBE,
        subject=variant.subject,
        newsletter=newsletter,
        fields=_field_names(site, newsletter),
    )
    return form


def _header(variant: RenderedVariant, site: Site, newsletter: Newsletter) -> list[bytes | Hole]:
    sender = mailable(newsletter.sender_address)
    answers = mailable(newsletter.reply_to or sender)
    fields: list[bytes | Hole] = [
        mailbox_field("From", newsletter.sender_name, sender),
        Hole(Place.TO),
    ]
    if newsletter.reply_to:
        fields.append(mailbox_field("Reply-To", "", answers))
    fields += [
        text_field("Subject", variant.subject),
        Hole(Place.DATE),
        Hole(Place.MESSAGE_ID),
        structured_field("List-Id", _list_id(site, newsletter)),
        Hole(Place.LIST_UNSUBSCRIBE),
    ]
    if _offers_one_click(site):
        fields.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    return [
        *fields,
        structured_field("List-Help", [f"<mailto:{quote(answers, safe='@')}?subject=help>"]),
        b"List-Post: NO\r\n",
        structured_field("Content-Language", [variant.key.language.replace("_", "-")]),
        b"MIME-Version: 1.0\r\n",
    ]


def _field_names(site: Site, newsletter: Newsletter) -> list[str]:
    """The header that a message has, in its order."""
    return [
        *("From", "To"),
        *(("Reply-To",) if newsletter.reply_to else ()),
        *("Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe"),
        *(("List-Unsubscribe-Post",) if _offers_one_click(site) else ()),
        *("List-Help", "List-Post", "Content-Language", "MIME-Version", "Content-Type"),
    ]


def _offers_one_click(site: Site) -> bool:
    """RFC 8058 section 3.1 asks for https; on a plain http site the link stands alone."""
    return site.url.lower().startswith("https://")


def _list_id(site: Site, newsletter: Newsletter) -> list[str]:
    """RFC 2919: stable, and its phrase in ASCII or not at all."""
    host = urlsplit(web_link(site.url)).hostname
    identity = f"<{newsletter.key}.{host}>"
    title = newsletter.title
    return [quoted_string(title), identity] if _fits_in_phrase(title) else [identity]


def _fits_in_phrase(title: str) -> bool:
    return title.isascii() and title.isprintable() and "=?" not in title and len(title) < 60


def _encoded(hole: Hole, values: ReaderValues) -> bytes:
    slot = hole.slot
    assert slot is not None  # noqa: S101 - holes of the header are filled before
    value = values.value(slot)
    return quoted.encode_value(html.escape(value) if hole.place is Place.HTML else value)


def _date(date: datetime) -> bytes:
    return structured_field("Date", [format_datetime(date)])


def _joined(pieces: Iterable[bytes | Hole]) -> Iterator[bytes | Hole]:
    """Neighbouring bytes as one, so that filling joins as few pieces as possible."""
    held = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            held += piece
            continue
        if held:
            yield held
            held = b""
        yield piece
    yield held
