"""Questions: what a site's templates ask about a reader, and how many answers are too many.

A template that decides by `reader.fields.city` is rendered once for each city that the readers
have. Which questions it asks is found out by rendering: `render` raises QuestionAsked, and the
caller renders again with the answers. What is only printed is no question, and costs nothing.
"""

from collections.abc import Iterable
from typing import Final

from digest.composer import slots
from digest.composer.slots import Slot
from digest.composer.values import finder_of
from digest.errors import QuestionAsked, TemplateError
from digest.model.subscriber import Recipient

#: How many answers there may be to one question, and to all of them together. Each is a rendering
#: and a form of its own.
MOST_ANSWERS: Final = 20
MOST_TOGETHER: Final = 100


def with_question(questions: Iterable[str], asked: str) -> tuple[str, ...]:
    """The questions and one more. Who tells a value need not be asked whether there is one."""
    every = {*questions, asked}
    needless = {slots.HAS + question for question in every}
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
    return f"reader.{question.removeprefix(slots.HAS)}"


def _answer(question: str, recipient: Recipient) -> str:
    name = question.removeprefix(slots.HAS)
    value = finder_of(Slot(name))(recipient)
    if name == question:
        return value
    return slots.YES if value else slots.NO
