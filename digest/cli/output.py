"""How commands speak: results on standard output, messages and progress on standard error.

Colours appear on a terminal only and respect NO_COLOR; a pipe gets plain text.
"""

import json
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from digest.errors import ConfigError, DigestError


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    SKIPPED = 3
    HELD = 4
    INCOMPLETE = 5
    INTERRUPTED = 130


# Long values in a pipe must not be folded at 80 columns: a script reads them.
_PIPE_WIDTH = 10_000


def results() -> Console:
    """Standard output."""
    return Console(highlight=False, soft_wrap=True)


def messages() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_table(table: Table) -> None:
    """A table on standard output: fitted to a terminal, as wide as it wants in a pipe."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    console.print(table)


def plain_table(*headers: str, title: str | None = None) -> Table:
    """A table in the house style: no frame, headings dimmed."""
    table = Table(
        box=None,
        pad_edge=False,
        title=title,
        title_justify="left",
        header_style="dim",
        expand=False,
    )
    for header in headers:
        right = header.startswith(">")
        table.add_column(header.removeprefix(">"), justify="right" if right else "left")
    return table


def print_json(value: Any) -> None:
    """A value as JSON on standard output; keys keep their order."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))  # noqa: T201


def note(text: str) -> None:
    """A message to the person at the keyboard, on standard error."""
    messages().print(Text(text))


def print_error(error: DigestError) -> None:
    """What is wrong, everything that is wrong, and what to do."""
    console = messages()
    console.print(Text.assemble(("error: ", "bold red"), error.message))
    if isinstance(error, ConfigError):
        for problem in error.problems:
            console.print(Text.assemble(("  • ", "red"), str(problem)))
    if error.hint:
        console.print(Text.assemble(("  → ", "cyan"), error.hint))
