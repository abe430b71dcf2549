"""Slots: the few places of a rendered text that differ from reader to reader.

A template writes `{{ reader.name }}`, and the rendered text holds a marker there: letters, digits
and nothing else, because premailer percent-encodes the rest inside a link. The marker is made of
the edition's nonce, which nobody knows before the edition is made: no feed can forge one.

`digest.composer.personalization` puts slots into a text, `digest.composer.values` says what fills them.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PlaceholderName(StrEnum):
    """What a placeholder stands for, but for the subscriber's own fields (`FIELD`)."""

    EMAIL = "email"
    NAME = "name"
    GREETING = "greeting"
    UNSUBSCRIBE = "unsubscribe_url"
    PREFERENCES = "preferences_url"
    VIEW = "view_url"


#: A field of the subscriber is FIELD and the field's own name.
FIELD: Final = "fields."

#: Begins a question that asks only whether the reader has a value, and its answers.
HAS: Final = "has "
YES: Final = "yes"
NO: Final = "no"

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Slot:
    """One place to fill. `words` are the greeting's two forms, frozen with the text."""

    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Markers:
    """How the slots of one edition are written."""

    key: str

    @classmethod
    def of(cls, nonce: str) -> "Markers":
        """The markers of the edition with this nonce."""
        return cls(hashlib.sha256(f"slots of {nonce}".encode()).hexdigest()[:16])

    def marker(self, slot: Slot) -> str:
        """The slot as letters and digits."""
        payload = _SEPARATOR.join((slot.name, *slot.words)).encode().hex()
        return f"slot{self.key}x{payload}x"

    def cut(self, text: str) -> tuple[str | Slot, ...]:
        """The text cut at its slots: strings and slots by turns, beginning with a string."""
        pieces: list[str | Slot] = []
        for index, piece in enumerate(re.split(f"slot{self.key}x([0-9a-f]+)x", text)):
            if index % 2 == 0:
                pieces.append(piece)
                continue
            name, *words = bytes.fromhex(piece).decode().split(_SEPARATOR)
            pieces.append(Slot(name, tuple(words)))
        return tuple(pieces)

    def count(self, text: str) -> int:
        """How many whole slots the text holds, or -1 if one is damaged."""
        whole = len(self.cut(text)) // 2
        return whole if text.lower().count(self.key) == whole else -1

    def without(self, text: str) -> str:
        """The text with everything gone that could pass for a slot."""
        return re.sub(self.key, "", text, flags=re.IGNORECASE)
