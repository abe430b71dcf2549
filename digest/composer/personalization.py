"""The reader as templates know one, while there is none yet.

`{{ reader.name }}` prints a slot, and one rendering serves everybody. A template that decides or
computes with a reader's name or field cannot be rendered for everybody: it *asks* a question, and
is rendered once for each answer that there is. There are two kinds of question: `fields.city` asks
for the value, `has fields.city` only whether there is one, as `{% if reader.fields.city %}` does.
What is asked and has no answer yet raises Asked, and the caller renders again, with one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

from digest.composer import slots
from digest.composer.slots import Markers, PlaceholderName, Slot


# Neither is a TypeError: jinja takes one for an attribute that does not exist.
class Asked(Exception):
    """A template decides by something about the reader that the rendering was not told."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


class SlotMisused(Exception):
    """A template decides by something that is never the same for two readers."""


class ReaderValue:
    """What `{{ reader.name }}` is inside a template: something that can be printed.

    The environment's `finalize` asks for the marker; every other use asks a question.
    """

    __slots__ = ("_reader", "_slot")

    def __init__(self, reader: "Reader", slot: Slot) -> None:
        self._reader = reader
        self._slot = slot

    def print(self) -> str:
        """The marker, counted, so that a marker that a filter damaged is missed."""
        return self._reader.printed_slot(self._slot)

    def __bool__(self) -> bool:
        return self._reader.has(self._slot)

    def _ask(self, *_: object) -> NoReturn:
        self._reader.ask(self._slot)

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

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader

    def __getitem__(self, name: str) -> ReaderValue | str:
        return self._reader.value(slots.FIELD + str(name))

    def __iter__(self) -> Iterator[str]:
        raise SlotMisused("reader.fields differs from reader to reader: name one field")

    def __len__(self) -> int:
        raise SlotMisused("reader.fields differs from reader to reader: name one field")


class Reader:
    """The reader for one rendering. `answers` are to the questions that are known to be asked.

    `clean` makes an answer fit to be printed.
    """

    def __init__(
        self,
        markers: Markers,
        greetings: tuple[str, str],
        *,
        answers: Mapping[str, str],
        clean: Callable[[str], str],
    ) -> None:
        self.printed = 0
        self._markers = markers
        self._answers = answers
        self._clean = clean
        self.greeting = ReaderValue(self, Slot(PlaceholderName.GREETING, greetings))
        self.email, self.unsubscribe_url, self.preferences_url, self.view_url = (
            ReaderValue(self, Slot(name))
            for name in (
                PlaceholderName.EMAIL,
                PlaceholderName.UNSUBSCRIBE,
                PlaceholderName.PREFERENCES,
                PlaceholderName.VIEW,
            )
        )
        self.name = self.value(PlaceholderName.NAME)
        self.fields = ReaderFields(self)

    def value(self, name: str) -> ReaderValue | str:
        """The text itself where it is known, else what stands for it."""
        answer = self._answers.get(name)
        return ReaderValue(self, Slot(name)) if answer is None else self._clean(answer)

    def printed_slot(self, slot: Slot) -> str:
        """The marker of a slot, which is counted."""
        self.printed += 1
        return self._markers.marker(slot)

    def has(self, slot: Slot) -> bool:
        """Whether the reader has such a value. Raises Asked where nobody has told us."""
        self._demand_a_field(slot)
        question = slots.HAS + slot.name
        if question not in self._answers:
            raise Asked(question)
        return self._answers[question] == slots.YES

    def ask(self, slot: Slot) -> NoReturn:
        """Raise Asked: the template needs the value itself."""
        self._demand_a_field(slot)
        raise Asked(slot.name)

    def _demand_a_field(self, slot: Slot) -> None:
        if slot.name != PlaceholderName.NAME and not slot.name.startswith(slots.FIELD):
            raise SlotMisused(
                f"reader.{slot.name} differs from reader to reader and is filled in after the "
                "template has run: it can be printed, but not be tested, compared or filtered"
            )
