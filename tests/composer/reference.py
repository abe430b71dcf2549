"""The slow way to the same message: the standard library builds it from whole values.

The form is compared with this. Only what the standard library gets wrong is not taken from it: it
would fold a long List-Unsubscribe into encoded words (see the shared facts on mail).
"""

import html
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime

from digest.composer.headers import header_text
from digest.composer.links import reader_links
from digest.composer.personalization import PlaceholderMarkers, value_of
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient


def reference(
    variant: RenderedVariant,
    edition: Edition,
    recipient: Recipient,
    *,
    site: Site,
    newsletter: Newsletter,
    delivery_id: int,
    date: datetime,
) -> EmailMessage:
    """The message without its images, and without the List fields."""
    links = reader_links(site, newsletter, edition.number)
    markers = PlaceholderMarkers.of(edition.nonce)
    text = "".join(
        piece if isinstance(piece, str) else value_of(piece, recipient, links)
        for piece in markers.cut(variant.text)
    )
    page = "".join(
        piece if isinstance(piece, str) else html.escape(value_of(piece, recipient, links))
        for piece in markers.cut(variant.html)
    )
    message = EmailMessage(policy=default.clone(max_line_length=78))
    message["From"] = Address(newsletter.sender_name, addr_spec=newsletter.sender_address)
    message["To"] = Address(header_text(recipient.name), addr_spec=recipient.email)
    message["Subject"] = header_text(variant.subject)
    message["Date"] = format_datetime(date.astimezone(newsletter.timezone))
    domain = newsletter.sender_address.rpartition("@")[2]
    message["Message-ID"] = f"<{edition.nonce}.{delivery_id}@{domain}>"
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    return message
