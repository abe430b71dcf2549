"""A variant's HTML as a page of its own for a browser: placeholders filled, images inside."""

import html
from base64 import b64encode
from pathlib import Path

from digest.composer.images import images_of
from digest.composer.links import reader_links
from digest.composer.personalization import PlaceholderMarkers, value_of
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient


def page(
    variant: RenderedVariant,
    recipient: Recipient,
    *,
    edition: Edition,
    site: Site,
    newsletter: Newsletter,
    images_folder: Path,
) -> str:
    """The HTML as this reader gets it, with the images that travel along as `data:` addresses.

    Raises TemplateError for an image that is not there.
    """
    links = reader_links(site, newsletter, edition.number)
    filled = "".join(
        piece if isinstance(piece, str) else html.escape(value_of(piece, recipient, links))
        for piece in PlaceholderMarkers.of(edition.nonce).cut(variant.html)
    )
    for image in images_of(variant, edition, newsletter, images_folder):
        data = f"data:image/{image.subtype};base64,{b64encode(image.data).decode('ascii')}"
        filled = filled.replace(f"cid:{image.content_id}", data)
    return filled
