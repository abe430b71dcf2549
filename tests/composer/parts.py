"""What a reader's program makes of a message: its parts, their words and their links."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

from digest.composer.links import reader_links
from digest.composer.personalization import PlaceholderMarkers, value_of
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter, Site
from digest.model.subscriber import Recipient

_INVISIBLE = ("style", "title")


def parsed(message: bytes) -> EmailMessage:
    """The message as the standard library reads it."""
    return message_from_bytes(message, _class=EmailMessage, policy=policy.default)


def part(message: bytes, subtype: str) -> str:
    """The decoded text of the part `text/<subtype>`, lines ending with a line feed."""
    found = parsed(message).get_body((subtype,))
    assert isinstance(found, EmailMessage)
    return str(found.get_content()).replace("\r\n", "\n")


@dataclass
class Seen:
    """What an HTML page shows."""

    text: str
    links: list[str]
    link_texts: list[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[str] = []
        self.link_texts: list[str] = []
        self._hidden = 0
        self._in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _INVISIBLE:
            self._hidden += 1
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
            self.link_texts.append("")
            self._in_link = True

    def handle_endtag(self, tag: str) -> None:
        if tag in _INVISIBLE:
            self._hidden -= 1
        if tag == "a":
            self._in_link = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
        if self._in_link:
            self.link_texts[-1] += data


def seen(page: str) -> Seen:
    """What the page shows, the hidden preheader included."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return Seen(
        text=" ".join("".join(reader.words).split()),
        links=reader.links,
        link_texts=[" ".join(text.split()) for text in reader.link_texts],
    )


def text_links(text: str) -> list[str]:
    """The links of a text part, in their order."""
    return re.findall(r"^ *((?:https?://|mailto:)\S+)$", text, re.MULTILINE)


def plain_text(
    variant: RenderedVariant,
    recipient: Recipient,
    *,
    edition: Edition,
    site: Site,
    newsletter: Newsletter,
) -> str:
    """The text part as this reader gets it, its lines ending with a line feed."""
    links = reader_links(site, newsletter, edition.number)
    pieces = PlaceholderMarkers.of(edition.nonce).cut(variant.text)
    return "".join(p if isinstance(p, str) else value_of(p, recipient, links) for p in pieces)
