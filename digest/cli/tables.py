"""Tables and bars as plain text.

A table has no frame, and columns that are empty in every row are left out. In a pipe every row is
one line of any width. On a terminal the columns named in `fold` share the width that the others
leave, and wrap; addresses, dates and numbers are never broken. If the terminal is too narrow even
so, each row becomes a few lines: first what identifies it, then the rest, indented.
"""

import shutil
import sys
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Final

from digest.cli.console import clean, paint, say

#: Between two columns.
_GAP: Final = "  "

#: A column is never folded to less than this.
_NARROWEST: Final = 16

_Row = Sequence[str]


def print_table(
    headers: Sequence[str],
    rows: Iterable[_Row],
    *,
    fold: Collection[str] = (),
    title: str = "",
    styles: Mapping[str, str] | None = None,
    show_headers: bool = True,
) -> None:
    """Print rows of texts under their headers; `>` before a header aligns its column right.

    `styles` colours cells of certain texts. A cell may have several lines.
    """
    cells = [tuple(clean(cell) for cell in row) for row in rows]
    used = [at for at in range(len(headers)) if any(row[at].strip("·") for row in cells)]
    names = [headers[at].removeprefix(">") for at in used]
    right = [headers[at].startswith(">") for at in used]
    cells = [tuple(row[at] for at in used) for row in cells]
    if title:
        say(title)
    shown = names if show_headers else [""] * len(names)
    widths = [_column(name, at, cells) for at, name in enumerate(shown)]
    # Folding takes long, and nobody reads that many rows on a terminal.
    if sys.stdout.isatty() and len(cells) <= 1_000:
        room = shutil.get_terminal_size().columns
        folds = [at for at, name in enumerate(names) if name in fold]
        if not _fit(widths, folds, room):
            _print_stacked(cells, folds, room)
            return
    if show_headers and cells:
        say(_line(names, widths, right), style="dim")
    for row in cells:
        _print_row(row, widths, right, styles or {})


def width_of(text: str) -> int:
    """How many cells of a terminal one line of text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) or character in "\u200c\u200d"
        else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )  # fmt: skip


def folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells; only a longer word is broken."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joint = f"{line} {word}" if line else word
            if width_of(joint) <= width:
                line = joint
                continue
            if line:
                lines.append(line)
            while width_of(word) > width:
                head = _head(word, width)
                lines.append(head)
                word = word.removeprefix(head)
            line = word
        lines.append(line)
    return lines


def _head(text: str, width: int) -> str:
    end = 1
    while end < len(text) and width_of(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def _column(name: str, at: int, cells: Sequence[_Row]) -> int:
    lines = (line for row in cells for line in row[at].split("\n"))
    return max((width_of(line) for line in (name, *lines)), default=0)


def _fit(widths: list[int], folds: Sequence[int], room: int) -> bool:
    """Narrow the columns that fold until all fit; False if they cannot."""
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - room
    while excess > 0:
        widest = max(folds, key=lambda at: widths[at], default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            return False
        widths[widest] -= 1
        excess -= 1
    return True


def _print_row(
    row: _Row, widths: Sequence[int], right: Sequence[bool], styles: Mapping[str, str]
) -> None:
    on_terminal = sys.stdout.isatty()
    if on_terminal:
        columns = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    else:
        columns = [cell.split("\n") for cell in row]
    for texts in zip_longest(*columns, fillvalue=""):
        line = _line(texts, widths, right)
        coloured = [text for text in texts if text in styles] if on_terminal else []
        if not coloured:
            say(line)
            continue
        from rich.text import Text

        painted = Text(line)
        for text in coloured:
            painted.highlight_words([text], styles[text])
        paint(sys.stdout, painted)


def _line(texts: _Row, widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, width, is_right in zip(texts, widths, right, strict=True):
        space = " " * (width - width_of(text))
        parts.append(space + text if is_right else text + space)
    return _GAP.join(parts).rstrip()


def _print_stacked(cells: Sequence[_Row], folds: Sequence[int], room: int) -> None:
    for row in cells:
        first = _GAP.join(cell for at, cell in enumerate(row) if at not in folds and cell)
        for line in folded(first, room):
            say(line)
        for cell in filter(None, (row[at] for at in folds)):
            for line in folded(cell, max(room - len(_GAP), _NARROWEST)):
                say(_GAP + line)


#: Block characters of one eighth of a cell, two eighths, and so on to a whole cell.
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_PLAIN: Final = "#"

#: Bars have at least this many cells, however narrow the terminal is.
_NARROWEST_PLOT: Final = 8


def print_bars(bars: Iterable[tuple[str, int]], *, width: int) -> None:
    """Print a label, a bar and an amount a line, on one scale and in at most `width` cells.

    Bars are drawn with plain characters where the output cannot encode block characters.
    """
    bars = [(clean(label), amount) for label, amount in bars]
    labels = max((width_of(label) for label, _ in bars), default=0)
    largest = max((amount for _, amount in bars), default=0)
    room = max(width - labels - len(f"{largest:,}") - len("   "), _NARROWEST_PLOT)
    # At most one cell for each unit: a bar of two stories should not look long.
    scale = min(1.0, room / largest) if largest else 1.0
    blocks = _can_show(_EIGHTHS)
    for label, amount in bars:
        space = " " * (labels - width_of(label))
        say(" ".join([label + space, "", *drawn(amount, scale, blocks=blocks), f"{amount:,}"]))


def drawn(amount: int, scale: float, *, blocks: bool) -> list[str]:
    """The bar of an amount, with `scale` cells for each unit; none for zero, else visible."""
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
