"""An edition, one issue of a newsletter, and its variants, one for each segment of readers."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from digest.model.newsletter import Newsletter


class Placement(StrEnum):
    """Where a story stands.

    The lead comes first, headlines of related stories right under it. A section shows stories with
    decks (`SECTION`), then its further stories as links (`HEADLINE`). What no section gathers is in
    the headline list at the end ("Also in the news"): `HEADLINE` without a section.
    """

    LEAD = "lead"
    RELATED = "related"
    SECTION = "section"
    HEADLINE = "headline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article as it stands in an edition: a copy, so that later edits change nothing.

    `position` counts from 1 in reading order. `section` is the title of the group it stands in,
    None for the lead, what is related to it, and the headline list at the end.
    `topic` is the section that a reader's topics are compared with, kept for the lead as well.
    """

    article_id: int
    position: int
    placement: Placement
    title: str
    url: str
    source: str
    published_at: datetime
    section: str | None = None
    topic: str | None = None
    deck: str = ""
    image_url: str | None = None
    author: str | None = None


class EditionState(StrEnum):
    """How far an edition is.

    PREPARED: frozen, deliveries remain. INCOMPLETE: nothing can go on, and some deliveries are
    Unknown. SENT: every delivery has its final outcome.
    """

    PREPARED = "prepared"
    INCOMPLETE = "incomplete"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One issue for one slot.

    `slot` is the newsletter's local wall time (`2026-03-12T07:00`), `cutoff` the instant before
    which its articles were published. `nonce` is random; Message-IDs are made of it. Nothing of a
    `stopped` edition leaves until somebody resumes it. `intro` is what the editor says above the
    stories, in paragraphs.
    """

    newsletter: str
    slot: str
    number: int
    cutoff: datetime
    since: datetime
    nonce: str
    subject: str
    stories: tuple[Story, ...]
    intro: tuple[str, ...] = ()
    id: int | None = None
    state: EditionState = EditionState.PREPARED
    stopped: bool = False

    @classmethod
    def new(
        cls,
        newsletter: Newsletter,
        slot: str,
        stories: tuple[Story, ...],
        *,
        number: int,
        cutoff: datetime,
        subject: str,
        nonce: str,
        intro: tuple[str, ...] = (),
    ) -> Self:
        """An edition that is not stored yet: its articles are as old as the rules allow."""
        return cls(
            newsletter=newsletter.key,
            slot=slot,
            number=number,
            cutoff=cutoff,
            since=cutoff - newsletter.rules.max_age,
            nonce=nonce,
            subject=subject,
            stories=stories,
            intro=intro,
        )

    @property
    def stored_id(self) -> int:
        """Its id in the ledger. Raises ValueError for a new edition, which has none."""
        if self.id is None:
            raise ValueError(f"No. {self.number} of {self.newsletter} is not stored")
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VariantKey:
    """What readers of one variant share. No topics means everything.

    `fields` holds the segment fields of the site's templates with their answers:
    `("fields.city", "Oslo")`, or `("has name", "no")`; see `digest.model.subscriber`.
    """

    language: str
    topics: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """What the ledger calls it: `en`, or `en: Sport, Town; fields.city = "Oslo"`.

        No two keys have the same name.
        """
        topics = f": {', '.join(map(_distinct, self.topics))}" if self.topics else ""
        answers = (
            f"; {_distinct(name)} = {json.dumps(answer, ensure_ascii=False)}"
            for name, answer in self.fields
        )
        return "".join((self.language, topics, *answers))


def _distinct(text: str) -> str:
    """The text in quotation marks where it holds what stands between two texts."""
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,;="\\]|^\s|\s$|^$', text) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What had to go from a variant.

    `decks` and `stories` are counts, for size; `stories` are left to the web. `images` are the
    paths of pictures that cannot travel along.
    """

    decks: int = 0
    stories: int = 0
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedVariant:
    """A variant, rendered and inlined once: two texts with placeholders where readers differ.

    `digest.composer.message` fills the placeholders; everything else is final. `cut` says
    what had to go when it was rendered, and is not stored.
    """

    key: VariantKey
    subject: str
    html: str
    text: str
    cut: Cut = Cut()
