"""Bars on a screen: of block characters, or of plain ones where the output cannot show those."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from digest.cli.console import clean, say
from digest.cli.tables import width_of

#: An eighth of a cell, two eighths, and so on; the last is a whole one.
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_PLAIN: Final = "#"

#: However narrow the terminal is, so many cells are left for bars.
_NARROWEST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An amount with a label before it."""

    label: str
    amount: int


def print_bars(bars: Sequence[Bar], *, width: int) -> None:
    """A line for each bar, with its amount, all on one scale and in at most `width` cells."""
    labels = [clean(bar.label) for bar in bars]
    label = max(map(width_of, labels), default=0)
    largest = max((bar.amount for bar in bars), default=0)
    room = max(width - label - len(f"{largest:,}") - len("   "), _NARROWEST)
    # One cell for each at most: a bar of two stories should not look like a long one.
    scale = min(1.0, room / largest) if largest else 1.0
    blocks = _can_show(_EIGHTHS)
    for bar, name in zip(bars, labels, strict=True):
        space = " " * (label - width_of(name))
        say(
            " ".join(
                [name + space, "", *drawn(bar.amount, scale, blocks=blocks), f"{bar.amount:,}"]
            )
        )


def drawn(amount: int, scale: float, *, blocks: bool) -> list[str]:
    """The bar of an amount, at so many cells for each one, if it is above zero: then it is seen."""
    if not amount:
        return []
    if not blocks:
        return [_PLAIN * max(round(amount * scale), 1)]
    full, part = divmod(max(round(amount * scale * 8), 1), 8)
    return [_EIGHTHS[-1] * full + (_EIGHTHS[part - 1] if part else "")]


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
