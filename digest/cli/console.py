"""How commands speak: results on standard output, messages and progress on standard error.

What is printed often came from outside: titles, names, replies of servers, names of files. All of
it goes through this module (or `tables`, which asks it), and everything that would steer a terminal
is taken out on the way; nothing is ever read as markup. Colours appear on a terminal only, and
respect NO_COLOR; a pipe gets plain text. Rich is imported where there is a terminal to paint on.

Questions to the person at the terminal. They are asked on standard error.

The end of the input (Ctrl-D) is taken for Ctrl-C: nothing is decided in anybody's name.
"""

import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from digest.errors import ConfigError, DigestError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    SKIPPED = 3
    HELD = 4
    INCOMPLETE = 5
    INTERRUPTED = 130


#: The joiners are invisible, but Persian and Indic names and some emoji need them.
_HARMLESS = "\n\u200c\u200d"

#: What JSON would leave in a text, and a terminal could take for an order, or Python not print.
_UNSAFE_IN_JSON = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text without what steers a terminal: control, format and surrogate characters.

    Lines stay lines; each other control character becomes one that is seen (U+FFFD).
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
    """A stream whose texts come clean to the terminal behind it."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> int:
        """Write what is harmless of a text; its line ends have no carriage returns."""
        self._terminal.write(clean(text))
        return len(text)


def results() -> TextIO:
    """Standard output for what is written piece by piece: as it is into a pipe, else clean."""
    return cast("TextIO", _Cleaned(sys.stdout)) if sys.stdout.isatty() else sys.stdout


def note(text: str, *, style: str = "") -> None:
    """A message to the person at the keyboard, on standard error."""
    _write(sys.stderr, text, style)


def _write(stream: TextIO, text: str, style: str) -> None:
    text = _encodable(clean(text), stream)
    if stream is sys.stderr:
        # Where both go to the same place, they come in the order in which they were said.
        sys.stdout.flush()
    if style and stream.isatty():
        from rich.text import Text

        paint(stream, Text(text, style=style))
    else:
        stream.write(f"{text}\n")


def _encodable(text: str, stream: TextIO) -> str:
    """The text with question marks for what the stream has no code for, if it is not UTF-8."""
    encoding = stream.encoding or "utf-8"
    return text if text.isascii() else text.encode(encoding, "replace").decode(encoding)


def paint(stream: TextIO, text: "Text") -> None:
    """A text whose parts have styles and are clean, on a terminal; it folds the lines itself."""
    console_on(stream).print(text, soft_wrap=True)


def console_on(stream: TextIO) -> "Console":
    """Rich's console on this stream."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def messages() -> "Console":
    """The console of standard error, for progress."""
    return console_on(sys.stderr)


def print_json(value: Any) -> None:
    """A value as JSON on standard output; keys keep their order."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    # All of these can only stand inside a text, where JSON has an escape for them.
    print(_UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # noqa: T201


def print_error(error: DigestError) -> None:
    """What is wrong, everything that is wrong, and what to do."""
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
    told: dict[str, Any] = {"error": error.message, "hint": error.hint}
    if isinstance(error, ConfigError):
        told["problems"] = [str(problem) for problem in error.problems]
    return told


_T = TypeVar("_T")


def on_a_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, understood: Callable[[str], _T]) -> _T:
    """The answer as `understood` takes it; while that raises a DigestError, it is asked again."""
    while True:
        try:
            return understood(_answer(f"{question}: "))
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
    if not line:
        sys.stderr.write("\n")
        raise KeyboardInterrupt
    return line.strip()
