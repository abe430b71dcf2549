"""Questions to the person at the terminal. They are asked on standard error.

The end of the input (Ctrl-D) is taken for Ctrl-C: nothing is decided in anybody's name.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

from digest.cli.console import clean, note, print_error
from digest.errors import DigestError

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
