"""A variant: an edition as readers with the same language and topics see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VariantKey:
    """What readers of one variant share. No topics means everything."""

    language: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedVariant:
    """A variant, rendered and inlined once: two texts with slots where readers differ.

    `digest.composer.slots` defines what a slot looks like; everything else is final.
    """

    key: VariantKey
    subject: str
    html: str
    text: str
