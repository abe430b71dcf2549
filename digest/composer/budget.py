"""The size budget: Gmail clips a mail at about 102 KB, and what is clipped nobody reads.

Over the budget, decks go first, the last one first, so that their stories become headlines. Then
stories go from the end, and a link says how many more there are on the web.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from digest.model.edition import Cut, Placement, Story

#: Octets, for the HTML as it is and as its part is encoded. What slots add comes on top.
MOST: Final = 88_000


def levels(stories: Sequence[Story]) -> int:
    """How many times these stories can be shortened; the lead's headline always stays."""
    return len(_with_decks(stories)) + len(stories) - 1


def shortened(stories: Sequence[Story], level: int) -> tuple[tuple[Story, ...], Cut]:
    """The stories with `level` things gone, and what that was."""
    decks = _with_decks(stories)
    gone = decks[max(0, len(decks) - level) :] if level else []
    away = max(0, level - len(decks))
    kept = [_headline_only(s) if s.position in gone else s for s in stories]
    return tuple(kept[: len(kept) - away]), Cut(decks=len(gone), stories=away)


def least_that_fits(most: int, fits: Callable[[int], bool]) -> int | None:
    """The lowest level from 0 to `most` that fits; None if not even the last one does."""
    if fits(0):
        return 0
    if not fits(most):
        return None
    return bisect_left(range(1, most), x=True, key=fits) + 1


def _with_decks(stories: Sequence[Story]) -> list[int]:
    """The positions of the stories whose decks show."""
    showing = (Placement.LEAD, Placement.SECTION)
    return [s.position for s in stories if s.deck and s.placement in showing]


def _headline_only(story: Story) -> Story:
    placement = Placement.LEAD if story.placement is Placement.LEAD else Placement.HEADLINE
    return replace(story, deck="", placement=placement)
