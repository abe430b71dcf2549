"""The letterhead: the header of a message, with holes where readers differ."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from digest.composer.headers import mailbox_field, quoted_string, structured_field, text_field
from digest.composer.links import ReaderLinks, web_link
from digest.composer.mime import Hole, Place, content_type
from digest.composer.slots import Markers
from digest.lib.email_address import mailable
from digest.model.edition import RenderedVariant
from digest.model.newsletter import Newsletter, Site


def letterhead(
    variant: RenderedVariant,
    *,
    nonce: str,
    site: Site,
    newsletter: Newsletter,
    links: ReaderLinks,
) -> Iterator[bytes | Hole]:
    """The fields in their order, and the empty line after them.

    The Message-ID is made of the edition's nonce and the delivery, so that a retry has the same.
    """
    sender = mailable(newsletter.sender_address)
    answers = mailable(newsletter.reply_to or sender)
    yield mailbox_field("From", newsletter.sender_name, sender)
    yield Hole(Place.TO)
    if newsletter.reply_to:
        yield mailbox_field("Reply-To", "", answers)
    yield text_field("Subject", variant.subject)
    yield Hole(Place.DATE)
    yield f"Message-ID: <{nonce}.".encode()
    yield Hole(Place.DELIVERY)
    yield f"@{sender.rpartition('@')[2]}>\r\n".encode()
    yield structured_field("List-Id", _list_id(site, newsletter))
    yield from _list_unsubscribe(links, answers)
    if _offers_one_click(site):
        yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    yield structured_field("List-Help", [f"<mailto:{quote(answers, safe='@')}?subject=help>"])
    yield b"List-Post: NO\r\n"
    yield structured_field("Content-Language", [variant.key.language.replace("_", "-")])
    yield b"MIME-Version: 1.0\r\n"
    yield content_type(Markers.of(nonce))
    yield b"\r\n"


def field_names(site: Site, newsletter: Newsletter) -> list[str]:
    """The fields that a letterhead has, in their order."""
    return [
        *("From", "To"),
        *(("Reply-To",) if newsletter.reply_to else ()),
        *("Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe"),
        *(("List-Unsubscribe-Post",) if _offers_one_click(site) else ()),
        *("List-Help", "List-Post", "Content-Language", "MIME-Version", "Content-Type"),
    ]


def _list_unsubscribe(links: ReaderLinks, answers: str) -> Iterator[bytes | Hole]:
    """RFC 2369: addresses in brackets, never encoded words, folded after the comma only."""
    yield f"List-Unsubscribe: <{links.unsubscribe_root}".encode()
    yield Hole(Place.TOKEN)
    yield f">,\r\n <mailto:{quote(answers, safe='@')}?subject=unsubscribe%20".encode()
    yield Hole(Place.TOKEN)
    yield b">\r\n"


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
