"""The sets of states that the model defines, as SQL."""

from collections.abc import Iterable
from enum import StrEnum


def sql_list(states: Iterable[StrEnum]) -> str:
    """States as the right-hand side of `in`: `('due', 'draft')`."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"
