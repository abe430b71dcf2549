"""The reader as templates know one, while there is none yet.

`{{ reader.name }}` prints a placeholder, and one rendering serves everybody. A template that
decides or computes with a reader's name or field cannot: it *asks* a question, and is rendered
once for each answer that there is. There are two kinds of question: `fields.city` asks for the
value, `has fields.city` only whether there is one, as `{% if reader.fields.city %}` does.
What is asked and has no answer yet raises Asked, and the caller renders again, with one.

Placeholders: the few places of a rendered text that differ from reader to reader.

A template writes `{{ reader.name }}`, and the rendered text holds a marker there: letters, digits
and nothing else, because premailer percent-encodes the rest inside a link. The marker is made of
the edition's nonce, which nobody knows before the edition is made: no feed can forge one.

`TemplateReader` puts placeholders into a text, `finder_of` says what fills them.

Values: what fills a reader's placeholders. Plain text on one line, not yet encoded for its place.

Questions: what a site's templates ask about a reader, and how many answers are too many.

A template that decides by `reader.fields.city` is rendered once for each city that the readers
have. Which questions it asks is found out by rendering: `render` raises QuestionAsked, and the
caller renders again with the answers. What is only printed is no question, and costs nothing.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter
from typing import Final, NoReturn

from digest.composer.links import ReaderLinks, token_part
from digest.errors import QuestionAsked, TemplateError
from digest.lib.text import plain
from digest.model.subscriber import Recipient


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


#: A field of the subscriber is FIELD and the field's own name.
FIELD: Final = "fields."

#: Begins a question that asks only whether the reader has a value, and its answers.
HAS: Final = "has "
YES: Final = "yes"
NO: Final = "no"

_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place to fill.

    `words` are frozen with the text: the greeting's two forms, or how an unsubscribe link leaves.
    """

    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceholderMarkers:
    """How the placeholders of one edition are written.

    The words `slots of` and `slot` stand in stored variants: they must stay as they are.
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
        """The text cut up: strings and placeholders by turns, beginning with a string."""
        pieces: list[str | Placeholder] = []
        for index, piece in enumerate(re.split(f"slot{self.key}x([0-9a-f]+)x", text)):
            if index % 2 == 0:
                pieces.append(piece)
                continue
            name, *words = bytes.fromhex(piece).decode().split(_SEPARATOR)
            pieces.append(Placeholder(name, tuple(words)))
        return tuple(pieces)

    def count(self, text: str) -> int:
        """How many whole placeholders the text holds, or -1 if one is damaged."""
        whole = len(self.cut(text)) // 2
        return whole if text.lower().count(self.key) == whole else -1

    def without(self, text: str) -> str:
        """The text with everything gone that could pass for a placeholder."""
        return re.sub(self.key, "", text, flags=re.IGNORECASE)


# Neither is a TypeError: jinja takes one for an attribute that does not exist.
class Asked(Exception):
    """A template decides by something about the reader that the rendering was not told."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


class PlaceholderMisused(Exception):
    """A template decides by something that is never the same for two readers."""


class ReaderValue:
    """What `{{ reader.name }}` is inside a template: something that can be printed.

    The environment's `finalize` asks for the marker; every other use asks a question.
    """

    __slots__ = ("_placeholder", "_reader")

    def __init__(self, reader: "TemplateReader", placeholder: Placeholder) -> None:
        self._reader = reader
        self._placeholder = placeholder

    def print(self) -> str:
        """The marker, counted, so that a marker that a filter damaged is missed."""
        return self._reader.print_marker(self._placeholder)

    def __bool__(self) -> bool:
        return self._reader.has(self._placeholder)

    def _ask(self, *_: object) -> NoReturn:
        self._reader.ask(self._placeholder)

    __str__ = __html__ = __format__ = __len__ = __iter__ = __contains__ = _ask
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _ask
    __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __getitem__ = _ask
    __call__ = __int__ = __float__ = __index__ = _ask

    def __getattr__(self, name: str) -> NoReturn:
        # A method of the text, such as `reader.name.startswith`; jinja's own probes are not.
        if name.startswith("_"):
            raise AttributeError(name)
        self._ask()


class ReaderFields:
    """`reader.fields.city`: any field of the subscriber; empty for whoever has none."""

    __slots__ = ("_reader",)

    def __init__(self, reader: "TemplateReader") -> None:
        self._reader = reader

    def __getitem__(self, name: str) -> ReaderValue | str:
        return self._reader.value(FIELD + str(name))

    def __iter__(self) -> Iterator[str]:
        raise PlaceholderMisused("reader.fields differs from reader to reader: name one field")

    def __len__(self) -> int:
        raise PlaceholderMisused("reader.fields differs from reader to reader: name one field")


class TemplateReader:
    """The reader for one rendering. `answers` are to the questions that are known to be asked.

    `clean` makes an answer fit to be printed. `has_pages` tells whether the readers' pages answer:
    where they do not, the links to them are empty, and the one to unsubscribe leaves by mail.
    """

    def __init__(
        self,
        markers: PlaceholderMarkers,
        greetings: tuple[str, str],
        *,
        answers: Mapping[str, str],
        clean: Callable[[str], str],
        has_pages: bool,
    ) -> None:
        self.printed = 0
        self._markers = markers
        self._answers = answers
        self._clean = clean
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

    def value(self, name: str) -> ReaderValue | str:
        """The text itself where it is known, else what stands for it."""
        answer = self._answers.get(name)
        return ReaderValue(self, Placeholder(name)) if answer is None else self._clean(answer)

    def print_marker(self, placeholder: Placeholder) -> str:
        """The marker of a placeholder, which is counted."""
        self.printed += 1
        return self._markers.marker(placeholder)

    def has(self, placeholder: Placeholder) -> bool:
        """Whether the reader has such a value. Raises Asked where nobody has told us."""
        if placeholder.name in _LINKS:
            return True
        self._demand_a_field(placeholder)
        question = HAS + placeholder.name
        if question not in self._answers:
            raise Asked(question)
        return self._answers[question] == YES

    def ask(self, placeholder: Placeholder) -> NoReturn:
        """Raise Asked: the template needs the value itself."""
        self._demand_a_field(placeholder)
        raise Asked(placeholder.name)

    def _demand_a_field(self, placeholder: Placeholder) -> None:
        if placeholder.name != PlaceholderName.NAME and not placeholder.name.startswith(FIELD):
            raise PlaceholderMisused(
                f"reader.{placeholder.name} differs from reader to reader and is filled in after "
                "the template has run: it can be printed, but not be tested, compared or filtered"
            )


#: Finds a reader's value, which may still have to be made plain.
Finder = Callable[[Recipient], str]

_TOKEN: Final = Placeholder("token")


def value_of(placeholder: Placeholder, recipient: Recipient, links: ReaderLinks) -> str:
    """The value of a placeholder. A field that the reader does not have is empty."""
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


#: How many answers there may be to one question, and to all of them together. Each is a rendering
#: and a form of its own.
MOST_ANSWERS: Final = 20
MOST_TOGETHER: Final = 100


def with_question(questions: Iterable[str], asked: str) -> tuple[str, ...]:
    """The questions and one more. Who tells a value need not be asked whether there is one."""
    every = {*questions, asked}
    needless = {HAS + question for question in every}
    return tuple(sorted(every - needless))


def answers_of(questions: Iterable[str], recipient: Recipient) -> tuple[tuple[str, str], ...]:
    """The questions with this reader's answers, as a variant's key has them."""
    return tuple((question, _answer(question, recipient)) for question in questions)


def require_few(asked: QuestionAsked, *, answers: int, together: int) -> None:
    """Raise TemplateError for a question that readers have too many answers to.

    `answers` counts the different ones to this question, `together` those to all questions at once.
    """
    if answers > MOST_ANSWERS:
        count, most, what = answers, MOST_ANSWERS, "values"
    elif together > MOST_TOGETHER:
        count, most, what = together, MOST_TOGETHER, "values in combination with the others"
    else:
        return
    raise TemplateError(
        f"{asked.message}, of which the readers have {count:,} different {what}; an edition can be "
        f"rendered for {most}",
        hint="Print it as it is, which works for any number of readers, or ask only whether there "
        "is one: {% if " + about(asked.question) + " %}.",
    )


def about(question: str) -> str:
    """What a question is about, as a template writes it: `reader.fields.city`."""
    return f"reader.{question.removeprefix(HAS)}"


def _answer(question: str, recipient: Recipient) -> str:
    name = question.removeprefix(HAS)
    value = finder_of(Placeholder(name))(recipient)
    if name == question:
        return value
    return YES if value else NO
