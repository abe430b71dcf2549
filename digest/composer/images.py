"""Images that travel along: files in the newsletter's folder, shown by Content-ID (RFC 2392)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from digest.errors import TemplateError
from digest.lib.email_address import domain_of
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter

#: Octets of one image. Mail that is larger is delivered late, or not at all.
MOST: Final = 1_000_000

# What every client shows; by content, because a name may lie. WebP and SVG are not among them.
_KINDS: Final = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF8", "gif"))


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineImage:
    """An image with the identity that the HTML calls it by. `subtype` is that of `image/…`."""

    content_id: str
    subtype: str
    data: bytes

    @property
    def filename(self) -> str:
        """A name that is plain in every header."""
        return f"{self.content_id.partition('@')[0]}.{self.subtype}"


def travels_along(image_url: str) -> bool:
    """Whether this is a path to a file of ours rather than an address on the web."""
    return not urlsplit(image_url).scheme and not image_url.startswith("//")


def content_id(path: str, newsletter: Newsletter) -> str:
    """The Content-ID, without brackets, of the image at a path: the same in every part."""
    name = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{name}@{domain_of(newsletter.sender_address)}"


def open_image(path: str, newsletter: Newsletter, folder: Path) -> InlineImage:
    """The image at `path` inside `folder`.

    Raises TemplateError if it is not there, outside of the folder, too large, or of a kind that
    mail clients do not show.
    """
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise TemplateError(f"image {path}: expected a file inside {folder}")
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST + 1)
    except OSError as error:
        raise TemplateError(f"image {path} in {folder}: {error.strerror}") from None
    if len(data) > MOST:
        raise TemplateError(f"image {path} is larger than {MOST:,} bytes, the most for one image")
    subtype = next((kind for magic, kind in _KINDS if data.startswith(magic)), None)
    if subtype is None:
        raise TemplateError(f"image {path}: expected a JPEG, PNG or GIF, which mail clients show")
    return InlineImage(content_id=content_id(path, newsletter), subtype=subtype, data=data)


def images_of(
    variant: RenderedVariant, edition: Edition, newsletter: Newsletter, folder: Path
) -> list[InlineImage]:
    """The images that this variant's HTML shows by Content-ID, each once."""
    paths = dict.fromkeys(
        story.image_url
        for story in edition.stories
        if story.image_url
        and travels_along(story.image_url)
        and f"cid:{content_id(story.image_url, newsletter)}" in variant.html
    )
    return [open_image(path, newsletter, folder) for path in paths]
