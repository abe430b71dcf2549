"""The order of a page: which stories a reader sees, who leads, and what stands in which group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from digest.model.edition import Placement, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A titled section, or with title None the headline list: stories with decks, then links."""

    title: str | None
    stories: tuple[Story, ...]
    headlines: tuple[Story, ...]

    @property
    def count(self) -> int:
        """How many stories the group has."""
        return len(self.stories) + len(self.headlines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A page from top to bottom."""

    lead: Story
    related: tuple[Story, ...]
    groups: tuple[Group, ...]


def of_interest(stories: Sequence[Story], topics: Sequence[str]) -> tuple[Story, ...]:
    """The stories in reading order that readers of these topics see; no topics means all.

    Topics are compared without case. A story without a topic is for those who chose none. Where
    the lead is not among them, the first that remains leads; other reports of the same event stay
    with it.
    """
    chosen = sorted(stories, key=lambda story: story.position)
    if topics:
        wanted = {topic.casefold() for topic in topics}
        chosen = [s for s in chosen if s.topic is not None and s.topic.casefold() in wanted]
    if chosen and chosen[0].placement is not Placement.LEAD:
        chosen[0] = replace(chosen[0], placement=Placement.LEAD, section=None)
    return tuple(chosen)


def outline(stories: Sequence[Story]) -> Outline:
    """The page of these stories, which are in reading order, the lead first."""
    lead, *others = stories
    rest = [story for story in others if story.placement is not Placement.RELATED]
    return Outline(
        lead=lead,
        related=tuple(story for story in others if story.placement is Placement.RELATED),
        groups=tuple(_group(title, list(run)) for title, run in groupby(rest, lambda s: s.section)),
    )


def _group(title: str | None, stories: list[Story]) -> Group:
    return Group(
        title=title,
        stories=tuple(s for s in stories if s.placement is Placement.SECTION),
        headlines=tuple(s for s in stories if s.placement is not Placement.SECTION),
    )
