"""Personalization: what templates know of a reader while they run, and what it becomes later.

Jinja2 runs before there is a reader. `{{ reader.name }}` therefore prints a placeholder, and one
rendering serves everybody; the composer fills it in for each message. A template that *decides* or
computes with the reader's name or a field cannot be rendered for everybody. What it decides by is a
segment field (`digest.model.subscriber`): readers with the same answers are a segment, and the
template is rendered once for each of them, with their answer in place of the placeholder.

Only a running template shows what it decides by, so it is run without an answer first: it stops
with AnswerNeeded, which `digest.composer.render` turns into a SegmentFieldNeeded. What is only
printed costs nothing. docs/decisions/0016 has what speaks for this.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import Final, NoReturn

from digest.composer.links import ReaderLinks, token_part
from digest.errors import TemplateError
from digest.lib.text import plain
from digest.model.subscriber import FIELD, HAS, YES, Recipient


class PlaceholderName(StrEnum):
    """What a placeholder stands for, but for the subscriber's own fields (`FIELD`)."""

    EMAIL = "email"
    NAME = "name"
    GREETING = "greeting"
    UNSUBSCRIBE = "unsubscribe_url"
    PREFERENCES = "preferences_url"
    VIEW = "view_url"


#: The links of a reader, which are there for everybody or for nobody.
_LINKS: Final = (PlaceholderName.UNSUBSCRIBE, PlaceholderName.PREFERENCES, PlaceholderName.VIEW)

#: Frozen with an unsubscribe link that was rendered while no page answered: it leaves by mail.
_BY_MAIL: Final = "mail"

_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place to fill.

    `words` are frozen with the text: the greeting's two forms, or how an unsubscribe link leaves.
    """

    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceholderMarkers:
    """How the placeholders of one edition are written into its texts.

    A marker is letters and digits alone, because premailer percent-encodes the rest inside a link.
    Its key is made of the edition's nonce, which nobody knows before the edition is made: no feed
    can forge one. Editions are stored with their markers, so the way they are written is fixed,
    the words `slots of` and `slot` included.
    """

    key: str

    @classmethod
    def of(cls, nonce: str) -> "PlaceholderMarkers":
        """The markers of the edition with this nonce."""
        return cls(hashlib.sha256(f"slots of {nonce}".encode()).hexdigest()[:16])

    def marker(self, placeholder: Placeholder) -> str:
        """The placeholder as letters and digits."""
        payload = _SEPARATOR.join((placeholder.name, *placeholder.words)).encode().hex()
        return f"slot{self.key}x{payload}x"

    def cut(self, text: str) -> tuple[str | Placeholder, ...]:
        """Strings and placeholders by turns, beginning with a string."""
        pieces: list[str | Placeholder] = []
        for index, piece in enumerate(re.split(f"slot{self.key}x([0-9a-f]+)x", text)):
            if index % 2 == 0:
                pieces.append(piece)
                continue
            name, *words = bytes.fromhex(piece).decode().split(_SEPARATOR)
            pieces.append(Placeholder(name, tuple(words)))
        return tuple(pieces)

    def count(self, text: str) -> int:
        """How many whole markers the text holds, or -1 if one is damaged."""
        whole = len(self.cut(text)) // 2
        return whole if text.lower().count(self.key) == whole else -1

    def clean(self, text: str) -> str:
        """The text on one line, fit to be printed: nothing in it can pass for a marker."""
        return re.sub(self.key, "", plain(text), flags=re.IGNORECASE)


# --- filling placeholders ---

#: Finds a reader's value, which may still have to be made plain.
Finder = Callable[[Recipient], str]

_TOKEN: Final = Placeholder("token")


def value_of(placeholder: Placeholder, recipient: Recipient, links: ReaderLinks) -> str:
    """What fills a placeholder: plain text on one line, not yet encoded for its place.

    A field that the reader does not have is empty.
    """
    return "".join(
        part if isinstance(part, str) else plain(finder_of(part)(recipient))
        for part in parts_of(placeholder, links)
    )


def parts_of(placeholder: Placeholder, links: ReaderLinks) -> tuple[str | Placeholder, ...]:
    """What a placeholder is made of: of a link, only the token differs from reader to reader."""
    match placeholder.name:
        case PlaceholderName.UNSUBSCRIBE:
            by_mail = _BY_MAIL in placeholder.words
            return (links.unsubscribe_mail_root if by_mail else links.unsubscribe_root, _TOKEN)
        case PlaceholderName.PREFERENCES:
            return (links.preferences_root, _TOKEN)
        case PlaceholderName.VIEW:
            return (links.view,)
        case _:
            return (placeholder,)


def finder_of(placeholder: Placeholder) -> Finder:
    """How to find the value of a placeholder that `parts_of` has left over."""
    if placeholder == _TOKEN:
        return _token
    match placeholder.name:
        case PlaceholderName.EMAIL | PlaceholderName.NAME:
            return attrgetter(placeholder.name)
        case PlaceholderName.GREETING:
            named, nameless = placeholder.words
            return partial(_greeting, named, nameless)
        case field:
            return partial(_field, field.removeprefix(FIELD))


def _token(recipient: Recipient) -> str:
    return token_part(recipient.token)


def _greeting(named: str, nameless: str, recipient: Recipient) -> str:
    name = plain(recipient.name)
    return named.replace("{name}", name) if name else nameless


def _field(name: str, recipient: Recipient) -> str:
    return str(recipient.fields.get(name, ""))


# --- the reader inside a running template ---


# Neither is a TypeError: Jinja takes one for an attribute that does not exist.
class AnswerNeeded(Exception):
    """Stops a template that decides by a segment field whose answer it was not given."""

    def __init__(self, segment_field: str) -> None:
        super().__init__(segment_field)
        self.segment_field = segment_field
        self.place = ""


class PlaceholderMisused(Exception):
    """A template decides by something that is never the same for two readers."""


class TemplateReader:
    """`reader`, for one rendering. `answers` are to the segment fields that are known.

    `printed` counts the markers that were printed, so that one which a filter has damaged is
    missed. `has_pages` tells whether the readers' pages answer: where they do not, the links to
    them are empty, and the one to unsubscribe is by mail.
    """

    def __init__(
        self,
        markers: PlaceholderMarkers,
        greetings: tuple[str, str],
        *,
        answers: Mapping[str, str],
        has_pages: bool,
    ) -> None:
        self.printed = 0
        self._markers = markers
        self._answers = answers
        self.greeting = ReaderValue(self, Placeholder(PlaceholderName.GREETING, greetings))
        self.email = ReaderValue(self, Placeholder(PlaceholderName.EMAIL))
        leaving = () if has_pages else (_BY_MAIL,)
        self.unsubscribe_url = ReaderValue(self, Placeholder(PlaceholderName.UNSUBSCRIBE, leaving))
        self.preferences_url, self.view_url = (
            ReaderValue(self, Placeholder(name)) if has_pages else ""
            for name in (PlaceholderName.PREFERENCES, PlaceholderName.VIEW)
        )
        self.name = self.value(PlaceholderName.NAME)
        self.fields = ReaderFields(self)

    def value(self, name: str) -> "ReaderValue | str":
        """The text itself where the answer is known, else what prints a placeholder."""
        answer = self._answers.get(name)
        return (
            ReaderValue(self, Placeholder(name)) if answer is None else self._markers.clean(answer)
        )

    def print_marker(self, placeholder: Placeholder) -> str:
        """The marker of a placeholder, which is counted."""
        self.printed += 1
        return self._markers.marker(placeholder)

    def has(self, placeholder: Placeholder) -> bool:
        """Whether the reader has such a value. Raises AnswerNeeded where that is not known."""
        if placeholder.name in _LINKS:
            return True
        segment_field = HAS + _segment_field(placeholder)
        if segment_field not in self._answers:
            raise AnswerNeeded(segment_field)
        return self._answers[segment_field] == YES


class ReaderValue:
    """`reader.name` inside a template: the environment's `finalize` prints it as a marker.

    A truth test needs to know whether there is a value; every other use needs the value itself.
    """

    __slots__ = ("_placeholder", "_reader")

    def __init__(self, reader: TemplateReader, placeholder: Placeholder) -> None:
        self._reader = reader
        self._placeholder = placeholder

    def print(self) -> str:
        """The marker."""
        return self._reader.print_marker(self._placeholder)

    def __bool__(self) -> bool:
        return self._reader.has(self._placeholder)

    def _need_answer(self, *_: object) -> NoReturn:
        raise AnswerNeeded(_segment_field(self._placeholder))

    __str__ = __html__ = __format__ = __len__ = __iter__ = __contains__ = _need_answer
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _need_answer
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __getitem__ = _need_answer
    __call__ = __int__ = __float__ = __index__ = _need_answer

    def __getattr__(self, name: str) -> NoReturn:
        # A method of the text, such as `reader.name.startswith`; Jinja's own probes are not.
        if name.startswith("_"):
            raise AttributeError(name)
        self._need_answer()


class ReaderFields:
    """`reader.fields.city`: any field of the subscriber; empty for whoever has none."""

    __slots__ = ("_reader",)

    def __init__(self, reader: TemplateReader) -> None:
        self._reader = reader

    def __getitem__(self, name: str) -> ReaderValue | str:
        return self._reader.value(FIELD + str(name))

    def _refuse(self) -> NoReturn:
        raise PlaceholderMisused("reader.fields differs from reader to reader: name one field")

    __iter__ = __len__ = _refuse


def _segment_field(placeholder: Placeholder) -> str:
    """The segment field of a placeholder. Raises PlaceholderMisused where it cannot be one."""
    if placeholder.name == PlaceholderName.NAME or placeholder.name.startswith(FIELD):
        return placeholder.name
    raise PlaceholderMisused(
        f"reader.{placeholder.name} differs from reader to reader and is filled in after the "
        "template has run: it can be printed, but not be tested, compared or filtered"
    )


# --- segment fields ---

#: How many different answers readers may have to one segment field, and to all of them together.
#: Each is a rendering and a prepared message of its own.
MOST_ANSWERS: Final = 20
MOST_TOGETHER: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFieldNeeded:
    """A template cannot be rendered without the answer to a segment field.

    `place` is the file and line that decide by it.
    """

    segment_field: str
    place: str


def with_segment_field(segment_fields: Iterable[str], added: str) -> tuple[str, ...]:
    """The segment fields and one more. With the value, whether there is one is known as well."""
    every = {*segment_fields, added}
    return tuple(sorted(every - {HAS + segment_field for segment_field in every}))


def require_few(needed: SegmentFieldNeeded, *, answers: int, together: int) -> None:
    """Raise TemplateError for a segment field that readers have too many answers to.

    `answers` counts the different ones to this field, `together` those to all fields at once.
    """
    if answers > MOST_ANSWERS:
        count, most, unit = answers, MOST_ANSWERS, "values"
    elif together > MOST_TOGETHER:
        count, most, unit = together, MOST_TOGETHER, "values in combination with the others"
    else:
        return
    name = f"reader.{needed.segment_field.removeprefix(HAS)}"
    raise TemplateError(
        f"{needed.place}: the template decides by {name}, of which the readers have {count:,}"
        f" different {unit}; an edition can be rendered for {most}",
        hint="Print it as it is, which works for any number of readers, or ask only whether there "
        f"is one: {{% if {name} %}}.",
    )
