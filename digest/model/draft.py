"""A draft: what the edition of a slot is to hold, while an editor may still change it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.edition import Placement
from digest.model.slot import Slot

_WITH_DECKS = (Placement.LEAD, Placement.SECTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem:
    """An article and where it is to stand.

    `title` and `deck` are the editor's own words; None is what the article says, whatever that is
    by then. Only a lead and a story of a section show a deck. Without a `section` it stands in the
    group that has no title.
    """

    article_id: int
    placement: Placement
    section: str | None = None
    title: str | None = None
    deck: str | None = None

    def __post_init__(self) -> None:
        if self.deck is not None and self.placement not in _WITH_DECKS:
            raise ValueError(f"article {self.article_id} is a headline, and has no deck")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContents:
    """What stands in an edition, in reading order, the lead first; what is dropped for good.

    `subject` is None where the newsletter's template makes it. `intro` is what the editor says
    above the stories, in paragraphs. `edited` tells that an editor has changed it.
    """

    placed: tuple[DraftItem, ...]
    dropped: tuple[int, ...] = ()
    subject: str | None = None
    intro: tuple[str, ...] = ()
    edited: bool = False

    def __post_init__(self) -> None:
        leads = [n for n, item in enumerate(self.placed) if item.placement is Placement.LEAD]
        if leads != [0]:
            raise ValueError(f"one story leads, and comes first; the leads are at {leads}")
        ids = [item.article_id for item in self.placed] + list(self.dropped)
        if len(ids) != len(set(ids)):
            raise ValueError(f"an article stands in a draft once: {ids}")


class DraftState(StrEnum):
    """What the editor has decided about a draft.

    WAITING: nothing yet. APPROVED: it goes out as it is. HELD: it waits until it is approved.
    """

    WAITING = "waiting"
    APPROVED = "approved"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What was approved, as a text (`digest.publishing.drafts.approval`), and its hash."""

    content: str
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The draft of a slot as the ledger has it; `approval` is there while it is approved."""

    slot: Slot
    contents: DraftContents
    state: DraftState
    made_at: datetime
    decided_at: datetime | None = None
    approval: Approval | None = None
