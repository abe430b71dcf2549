"""Cells that a spreadsheet must read as text.

A spreadsheet runs a cell that begins like a formula, such as a name `=HYPERLINK(…)`. Such a cell
gets an apostrophe in front, which spreadsheets show as nothing, and loses it again when it is read
here. A text that begins with apostrophes and then like a formula gets one more, so that every text
survives the way out and back.
"""

import re
from collections.abc import Iterable
from typing import Final

# The signs that start a formula in the usual programs, and their full-width doubles.
_GUARDED: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def guard(text: str) -> str:
    """The cell for a text."""
    return "'" + text if _GUARDED.match(text) else text


def unguard(cell: str) -> str:
    """The text of a cell: the inverse of `guard`."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell


def unguard_all(cells: Iterable[str]) -> list[str]:
    """The texts of the cells of a row; quick, because hardly any cell begins with an apostrophe."""
    return [unguard(cell) if cell[:1] == "'" else cell for cell in cells]
