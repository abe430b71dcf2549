"""Text on one line: cleaned, shortened, and compared for "did you mean".

Feeds carry control characters, line breaks and unclosed direction overrides in their titles. Mail
breaks on all of them: Gmail clips at C1 controls, a line break in a header adds a header, and one
override mirrors the rest of the page.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable

# Direction overrides, embeddings and isolates. The marks (U+200E, U+200F) have no reach and stay.
_BIDI = "\u202a-\u202e\u2066-\u2069"
# Code points that are no characters in any version of Unicode: the last two of each plane, and 32.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)
_UNPRINTABLE = re.compile(
    f"[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029{_BIDI}\ud800-\udfff\ufeff{_NONCHARACTERS}]"
)
_BREAKS = re.compile("[\\t\\n\\x0b\\x0c\\r\\x1c-\\x1e\\x85\\u2028\\u2029]")
_SPACES = re.compile(" {2,}")


def plain(text: str) -> str:
    """The text on one line: breaks are spaces, and what cannot be printed is gone."""
    if not (text.isascii() and text.isprintable()):
        text = _UNPRINTABLE.sub("", _BREAKS.sub(" ", text))
    return _SPACES.sub(" ", text).strip(" ")


def shorten(text: str, most: int) -> str:
    """The text in at most `most` characters, cut between words where that loses little."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    head, space, _ = kept.rpartition(" ")
    if space and len(head) > most // 2:
        kept = head
    while kept and unicodedata.combining(kept[-1]):
        kept = kept[:-1]
    return kept.rstrip(" ,;:.–—-\u200d") + "…"


def nearest(
    word: str, known: Iterable[str], *, fold: Callable[[str], str] = str.casefold
) -> str | None:
    """The known word that is most like this one, compared as `fold` has them, if any is close."""
    by_folded = {fold(name): name for name in known}
    close = difflib.get_close_matches(fold(word), by_folded, n=1)
    return by_folded[close[0]] if close else None
