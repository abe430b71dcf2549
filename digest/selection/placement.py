"""Where each chosen article stands: lead, related headlines, sections, headline list.

The order of articles (`rank`), their groups, and the deck under a headline (`deck_of`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.model.article import Article
from digest.model.edition import Placement, Story
from digest.model.newsletter import Rules

#: A deck is about three lines of a 600 px column.
LONGEST_DECK = 280

_SENTENCE_END = re.compile(r"[.!?…]['\"”’»)]*(?=\s)|[؟。！？]")


def deck_of(summary: str, headline: str) -> str:
    """The summary, cut after a sentence or else after a word, in at most `LONGEST_DECK` characters.

    Empty where the summary only repeats the headline, as many feeds do.
    """
    summary = " ".join(summary.split())
    if summary.rstrip(" .…").casefold() == headline.rstrip(" .…").casefold():
        return ""
    if len(summary) <= LONGEST_DECK:
        return summary
    head = summary[:LONGEST_DECK]
    ends = [match.end() for match in _SENTENCE_END.finditer(head)]
    if ends and ends[-1] >= LONGEST_DECK // 2:
        return head[: ends[-1]]
    # One character less than the limit, for the ellipsis; a single endless word is cut hard.
    words = head[: LONGEST_DECK - 1].rsplit(" ", 1)[0]
    return words.rstrip(" ,;:–—-") + "…"


def rank(article: Article) -> tuple[bool, int, float, int]:
    """The order within a page, smallest first: pinned, priority, recency, the source's own order.

    Ids grow in the order of reading. Articles of one time, as from a source that gives only dates,
    therefore keep the order in which their source listed them.
    """
    return (
        not article.pinned,
        -article.priority,
        -article.published_at.timestamp(),
        article.id,
    )


def lead_rank(article: Article) -> tuple[bool, int, int, float, int]:
    """The order of fitness to lead: the editor's word first, then a story that has all it needs.

    A lead is shown with image and deck; between equals, one that has them serves the reader better
    than one that is a few minutes younger.
    """
    pinned, priority, recency, id_ = rank(article)
    missing = 0 if article.summary and article.image_url else 1 if article.summary else 2
    return (pinned, priority, missing, recency, id_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Which titled group each article belongs to, and the order of the groups.

    An article that no group gathers is absent from `group_of`.
    """

    order: tuple[str, ...]
    group_of: Mapping[int, str]


def group(articles: Sequence[Article], rules: Rules) -> Grouping:
    """The groups of ranked articles: as the rules say, or else the sources' own sections.

    Without rules, sections that differ only in case are one, under the spelling that ranks first.
    """
    if rules.sections:
        titles = {name.casefold(): rule.title for rule in rules.sections for name in rule.match}
        order = tuple(rule.title for rule in rules.sections)
    else:
        titles = {}
        for article in articles:
            if article.section:
                titles.setdefault(article.section.casefold(), article.section)
        order = tuple(titles.values())
    group_of = {
        article.id: titles[article.section.casefold()]
        for article in articles
        if article.section and article.section.casefold() in titles
    }
    return Grouping(order=order, group_of=group_of)


def lay_out(
    lead: Article,
    related: Sequence[Article],
    others: Sequence[Article],
    grouping: Grouping,
    rules: Rules,
) -> tuple[Story, ...]:
    """The stories of an edition in reading order."""
    placed: list[tuple[Article, Placement, str | None]] = [(lead, Placement.LEAD, None)]
    placed += [(article, Placement.RELATED, None) for article in related]
    in_order = sorted(others, key=rank)
    for title in grouping.order:
        members = [article for article in in_order if grouping.group_of.get(article.id) == title]
        placed += _with_decks_first(members, title, rules)
    ungrouped = [article for article in in_order if article.id not in grouping.group_of]
    # A source that knows no sections, as most blogs do, deserves decks all the same.
    decks = ungrouped if len(ungrouped) == len(in_order) else []
    placed += _with_decks_first(decks, None, rules)
    placed += [(article, Placement.HEADLINE, None) for article in ungrouped[len(decks) :]]
    return tuple(
        story_of(article, position, placement, section, grouping)
        for position, (article, placement, section) in enumerate(placed, start=1)
    )


def _with_decks_first(
    members: Sequence[Article], title: str | None, rules: Rules
) -> list[tuple[Article, Placement, str | None]]:
    return [
        (article, Placement.SECTION if n < rules.decks_per_section else Placement.HEADLINE, title)
        for n, article in enumerate(members)
    ]


def story_of(
    article: Article, position: int, placement: Placement, section: str | None, grouping: Grouping
) -> Story:
    """The article as it stands in an edition."""
    return Story(
        article_id=article.id,
        position=position,
        placement=placement,
        section=section,
        topic=grouping.group_of.get(article.id, article.section),
        title=article.title,
        deck=deck_of(article.summary, article.title),
        url=article.url,
        image_url=article.image_url,
        author=article.author,
        source=article.source,
        published_at=article.published_at,
    )
