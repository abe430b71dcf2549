"""A variant: an edition as readers with the same language and topics see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VariantKey:
    """What readers of one variant share. No topics means everything."""

    language: str
    topics: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the ledger calls it: `en`, or `en: Sport, Town`."""
        return f"{self.language}: {', '.join(self.topics)}" if self.topics else self.language


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
