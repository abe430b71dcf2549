"""Standard output for results, standard error for messages, progress and questions.

What is printed often came from outside: titles, names, replies of servers, names of files. All of
it goes through this module (or `tables`, which calls it), which removes every control character;
nothing is ever read as markup. Colours appear on a terminal only, and respect NO_COLOR; a pipe gets
plain text. Rich takes long to import, so it is imported only where the output is a terminal.
"""

import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from digest.errors import ConfigError, DigestError
from digest.lib.timestamps import to_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


_T = TypeVar("_T")


class Exit(IntEnum):
    """The exit codes, as `digest --help` and docs/reference/commands.md list them."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    SKIPPED = 3
    HELD = 4
    INCOMPLETE = 5
    INTERRUPTED = 130


#: The joiners are invisible, but Persian and Indic names and some emoji need them.
_HARMLESS = "\n\u200c\u200d"

#: Characters that `json.dumps` leaves as they are, and a terminal may obey or Python not encode.
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without control, format and surrogate characters.

    Line feeds stay; each other control character becomes the replacement character (U+FFFD).
    """
    if text.isprintable():
        return text
    return "".join(_harmless(character) for character in text.replace("\r\n", "\n"))


def _harmless(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Zs":
            return " "
        case _:
            return " " if character == "\t" else "\ufffd"


def say(text: str, *, style: str = "") -> None:
    """A result, on standard output."""
    _write(sys.stdout, text, style)


class _Cleaned(io.TextIOBase):
    """A text stream that cleans what it passes on to a terminal."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write the cleaned text; line ends become line feeds."""
        self._terminal.write(clean(text))
        return len(text)


def results() -> TextIO:
    """Standard output for text written in pieces: cleaned on a terminal, unchanged in a pipe."""
    return cast("TextIO", _Cleaned(sys.stdout)) if sys.stdout.isatty() else sys.stdout


def note(text: str, *, style: str = "") -> None:
    """A message to the person at the keyboard, on standard error."""
    _write(sys.stderr, text, style)


def _write(stream: TextIO, text: str, style: str) -> None:
    text = _encodable(clean(text), stream)
    if stream is sys.stderr:
        # Where both streams go to the same place, their lines keep the order of printing.
        sys.stdout.flush()
    if style and stream.isatty():
        from rich.text import Text

        paint(stream, Text(text, style=style))
    else:
        stream.write(f"{text}\n")


def _encodable(text: str, stream: TextIO) -> str:
    """The text with question marks for characters that the stream's encoding does not have."""
    encoding = stream.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "replace").decode(encoding)


def paint(stream: TextIO, text: "Text") -> None:
    """Print a cleaned text with styles on a terminal, which wraps the lines itself."""
    console_on(stream).print(text, soft_wrap=True)


def console_on(stream: TextIO) -> "Console":
    """Rich's console for this stream."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def error_console() -> "Console":
    """The console of standard error, for progress."""
    return console_on(sys.stderr)


def working(text: str) -> AbstractContextManager[object]:
    """A sign on a terminal that this takes a while; nothing in a pipe."""
    return error_console().status(text) if sys.stderr.isatty() else nullcontext()


def print_json(value: Any) -> None:
    """A value as JSON on standard output; keys keep their order.

    Our own types may stand anywhere in it: see `_encoded`.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, default=_encoded)
    # These characters can only stand inside a string, where JSON has an escape for them.
    print(_UNSAFE_IN_JSON.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", text))  # noqa: T201


def print_result(value: Any, text: str, *, as_json: bool) -> None:
    """A result that is one sentence for people: the value as JSON, or the text."""
    if as_json:
        print_json(value)
    else:
        say(text)


def fields_of(value: object, *names: str) -> dict[str, Any]:
    """The named fields of a dataclass, or all of them, as an object for `print_json`."""
    chosen = names or [field.name for field in fields(cast("Any", value))]
    return {name: getattr(value, name) for name in chosen}


def _encoded(value: object) -> Any:
    """A value of a type that JSON does not have: an object, an array or a string.

    Enums are strings already. Instants look as in the database, an error is its message.
    """
    match value:
        case datetime():
            return to_text(value)
        case date():
            return value.isoformat()
        case DigestError():
            return value.message
        case Path():
            return str(value)
        case Mapping():
            return dict(value)
        case Iterable():
            return list(value)
        case _ if is_dataclass(value):
            return fields_of(value)
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")


def print_error(error: DigestError) -> None:
    """Print an error: its message, every problem that it lists, and its hint."""
    lines = [("bold red", "error: ", error.message)]
    if isinstance(error, ConfigError):
        lines += [("red", "  • ", str(problem)) for problem in error.problems]
    if error.hint:
        lines.append(("cyan", "  → ", error.hint))
    for style, mark, text in lines:
        if sys.stderr.isatty():
            from rich.text import Text

            paint(sys.stderr, Text.assemble((mark, style), clean(text)))
        else:
            note(mark + text)


def error_as_json(error: DigestError) -> dict[str, Any]:
    """An error as `--json` prints it."""
    shown: dict[str, Any] = {"error": error.message, "hint": error.hint}
    if isinstance(error, ConfigError):
        shown["problems"] = [str(problem) for problem in error.problems]
    return shown


def on_a_terminal() -> bool:
    """Whether there is a person to ask: standard input and error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, parse: Callable[[str], _T]) -> _T:
    """The answer as `parse` returns it; as long as that raises a DigestError, ask again."""
    while True:
        try:
            return parse(_answer(f"{question}: "))
        except DigestError as error:
            print_error(error)


def confirm(question: str) -> bool:
    """Whether the answer is yes. Enter alone is no."""
    while True:
        answer = _answer(f"{question} [y/N] ").casefold()
        if answer in ("y", "yes", "", "n", "no"):
            return answer.startswith("y")
        note("please answer y or n")


def _answer(prompt: str) -> str:
    sys.stderr.write(clean(prompt))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:  # Ctrl-D is taken for Ctrl-C: the question has no answer
        sys.stderr.write("\n")
        raise KeyboardInterrupt
    return line.strip()
