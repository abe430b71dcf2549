"""An edition as an editor put it together: its stories, and one decision for every candidate.

No limit of the rules applies to the editor's choice. What is not in the draft waits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from digest.model.article import Article, Decision, Verdict
from digest.model.draft import DraftContents
from digest.model.edition import Placement, Story
from digest.model.newsletter import Rules
from digest.selection.placement import Grouping, group, rank, story_of
from digest.selection.select import Selection, place_of, ruled_out
from digest.selection.similarity import same_headline_key

DROPPED = "by the editor"


def arrange(
    contents: DraftContents,
    usable: Mapping[int, Article],
    candidates: Sequence[Article],
    rules: Rules,
    *,
    cutoff: datetime,
) -> Selection | None:
    """The draft with the articles that are `usable`; None where that leaves no story.

    Where the lead is not among them, the first that remains leads. `usable` need not be candidates,
    and has no final decision yet; of what was dropped, only those are decided about.
    """
    ranked = sorted({a.id: a for a in (*candidates, *usable.values())}.values(), key=rank)
    grouping = group(ranked, rules)
    stories = tuple(_stories(contents, usable, grouping))
    if not stories:
        return None
    verdicts = {story.article_id: (Verdict.CHOSEN, place_of(story)) for story in stories}
    open_ids = {article.id for article in ranked}
    verdicts |= {id_: (Verdict.DROPPED, DROPPED) for id_ in contents.dropped if id_ in open_ids}
    # By the titles as the sources gave them: the editor's own words are in the story.
    headlines = {same_headline_key(usable[s.article_id].title): s.article_id for s in stories}
    for article in ranked:
        if article.id not in verdicts:
            verdicts[article.id] = (
                ruled_out(article, rules, grouping, cutoff)
                or _repeated(article, headlines)
                or (Verdict.WAITING, "not in the editor's draft")
            )
    decisions = tuple(
        Decision(article_id=article_id, verdict=verdict, reason=reason)
        for article_id, (verdict, reason) in verdicts.items()
    )
    return Selection(stories=stories, decisions=decisions)


def _stories(
    contents: DraftContents, usable: Mapping[int, Article], grouping: Grouping
) -> Iterator[Story]:
    remaining = [item for item in contents.placed if item.article_id in usable]
    for position, item in enumerate(remaining, start=1):
        placement, section = item.placement, item.section
        if position == 1:
            placement, section = Placement.LEAD, None
        article = usable[item.article_id]
        story = story_of(article, position, placement, section, grouping)
        yield replace(
            story,
            title=story.title if item.title is None else item.title,
            deck=story.deck if item.deck is None else item.deck,
        )


def _repeated(
    article: Article, headlines: Mapping[frozenset[str], int]
) -> tuple[Verdict, str] | None:
    original = headlines.get(same_headline_key(article.title))
    if original is None:
        return None
    return Verdict.DUPLICATE, f"same headline as article {original}"
