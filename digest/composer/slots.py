"""Slots: the few places of a rendered text that differ from reader to reader.

A template writes `{{ reader.name }}`, and the rendered text holds a marker there: letters, digits
and nothing else, because premailer percent-encodes the rest inside a link. The marker is made of
the edition's nonce, which nobody knows before the edition is made: no feed can forge one.

A marker is no value. A template that decides or computes with one would be wrong for every reader,
so that is refused where it happens.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from digest.composer.cleaning import plain
from digest.composer.links import ReaderLinks
from digest.model.subscriber import Recipient

_GREETING = "greeting"
_FIELD = "fields."
_NAMES = ("email", "name", "unsubscribe_url", "preferences_url", "view_url")
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Slot:
    """One place to fill. `words` are the greeting's two forms, frozen with the text."""

    name: str
    words: tuple[str, ...] = ()


class SlotMisused(TypeError):
    """A template used a reader's value in a condition, a filter or a computation."""


class ReaderValue:
    """What `{{ reader.name }}` is inside a template: something that can only be printed.

    The environment's `finalize` asks for the marker; every other use raises SlotMisused.
    """

    __slots__ = ("_marker", "_name", "_reader")

    def __init__(self, reader: "Reader", name: str, marker: str) -> None:
        self._reader = reader
        self._name = name
        self._marker = marker

    def print(self) -> str:
        """The marker, counted, so that a marker that a filter damaged is missed."""
        self._reader.printed += 1
        return self._marker

    def _refuse(self, *_: object) -> NoReturn:
        raise SlotMisused(
            f"reader.{self._name} is filled in for each reader, after the template has run: "
            "it can be printed, but not be tested, compared, filtered or joined"
        )

    __bool__ = __str__ = __html__ = __format__ = __len__ = __iter__ = __contains__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __getitem__ = _refuse
    __call__ = __int__ = __float__ = __index__ = _refuse


class ReaderFields:
    """`reader.fields.city`: any field of the subscriber; empty for whoever has none."""

    __slots__ = ("_reader",)

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader

    def __getitem__(self, name: str) -> ReaderValue:
        return self._reader.value(Slot(_FIELD + str(name)))

    def __iter__(self) -> Iterator[str]:
        raise SlotMisused("reader.fields differs from reader to reader: name one field")

    def __len__(self) -> int:
        raise SlotMisused("reader.fields differs from reader to reader: name one field")


class Reader:
    """The reader as templates know one, for one rendering."""

    def __init__(self, markers: "Markers", greetings: tuple[str, str]) -> None:
        self.printed = 0
        self._markers = markers
        self.greeting = self.value(Slot(_GREETING, greetings))
        self.email, self.name, self.unsubscribe_url, self.preferences_url, self.view_url = (
            self.value(Slot(name)) for name in _NAMES
        )
        self.fields = ReaderFields(self)

    def value(self, slot: Slot) -> ReaderValue:
        """The printable value that stands for a slot."""
        return ReaderValue(self, slot.name, self._markers.marker(slot))


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


@dataclass(frozen=True, slots=True)
class ReaderValues:
    """What one reader's slots are filled with: plain text, on one line, not yet encoded."""

    recipient: Recipient
    links: ReaderLinks

    def value(self, slot: Slot) -> str:
        """The value of a slot. A field that the reader does not have is empty."""
        recipient = self.recipient
        match slot.name:
            case "email":
                return plain(recipient.email)
            case "name":
                return plain(recipient.name)
            case "greeting":
                name = plain(recipient.name)
                named, nameless = slot.words
                return named.replace("{name}", name) if name else nameless
            case "unsubscribe_url":
                return self.links.unsubscribe(recipient.token)
            case "preferences_url":
                return self.links.preferences(recipient.token)
            case "view_url":
                return self.links.view
            case field:
                return plain(str(recipient.fields.get(field.removeprefix(_FIELD), "")))
