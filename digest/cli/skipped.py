"""Exit code 3: there was nothing to do, and why."""

from typing import NoReturn, TypeVar

import typer

from digest.cli.console import Exit, note, print_json
from digest.publishing.editions.build import Skipped

_T = TypeVar("_T")


def unless_skipped(result: _T | Skipped, *, as_json: bool) -> _T:
    """The result; if it is Skipped, report the reason and exit."""
    if isinstance(result, Skipped):
        exit_skipped(result.reason, as_json=as_json)
    return result


def exit_skipped(reason: str, *, as_json: bool, **more: object) -> NoReturn:
    """Report why nothing was done, and exit with the code for that."""
    if as_json:
        print_json({"result": "skipped", "reason": reason} | more)
    note(f"skipped: {reason}")
    raise typer.Exit(Exit.SKIPPED)
