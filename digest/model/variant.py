"""A variant: an edition as readers with the same wishes see it."""

import json
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VariantKey:
    """What readers of one variant share. No topics means everything.

    `fields` holds what the site's templates asked about the reader, and the answer:
    `("fields.city", "Oslo")`, or `("has name", "no")`; see `digest.composer.reader`.
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
            f"; {_distinct(q)} = {json.dumps(a, ensure_ascii=False)}" for q, a in self.fields
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
    """A variant, rendered and inlined once: two texts with slots where readers differ.

    `digest.composer.slots` defines what a slot looks like; everything else is final. `cut` says
    what had to go, when it was rendered: it is not stored.
    """

    key: VariantKey
    subject: str
    html: str
    text: str
    cut: Cut = Cut()
