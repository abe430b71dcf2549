"""How a value is refused, and the few things that every check of a value shares."""

import difflib
import re
from typing import Any, Final

from pydantic_core import PydanticCustomError

#: Names stand in mail headers and on one line of a screen.
LONGEST_LINE: Final = 200

# RFC 2047. Python's mail package decodes one inside a header, line ends and all: that adds headers.
_ENCODED_WORD: Final = re.compile(r"=\?[^?]*\?[^?]*\?[^?]*\?=")
#: Control characters, other line ends than these, and octets of the environment that are no text.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refused(
    expected: str | None = None, suggestion: str | None = None, found: str | None = None
) -> PydanticCustomError:
    """The error of a kind; without `expected` the problem takes the kind's own words.

    `found` is the part of the value that is wrong, where it is not all of it.
    """
    facts: dict[str, Any] = {"expected": expected, "suggestion": suggestion, "found": found}
    return PydanticCustomError("refused", "refused", facts)


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that is most like this one, compared without case, if any is close."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def line(text: str) -> str:
    """A text that may stand in a mail header, without space around it."""
    text = text.strip()
    if not text or len(text) > LONGEST_LINE or CONTROL.search(text):
        raise refused()
    if _ENCODED_WORD.search(text):
        raise refused("a text as people read it, not an encoded word (=?…?=)")
    return text
