"""The rows of a file of readers, whatever it is written in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from digest.subscribers.columns import Columns


class Row(NamedTuple):
    """The cells of one row, and which column each is in. `line` counts from 1."""

    line: int
    columns: Columns
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    line: int
    reason: str
