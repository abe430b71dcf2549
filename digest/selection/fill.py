"""Filling an edition: the lead, what is related to it, then the sections in turn.

Sections take turns, each with its best article, so that a busy one does not crowd out the others;
pinned articles and higher priorities go first. Then what several sources tell of goes before what
one does, and an article whose headline is like one that is in already waits for the other stories.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from digest.model.article import Article
from digest.model.newsletter import Rules
from digest.selection.placement import Grouping, lead_rank
from digest.selection.similarity import Relations

_Test = Callable[[Article], bool]

#: With this many related headlines, several sources tell the story.
_SEVERAL = 2

#: How many related headlines stand under the lead at most.
MOST_RELATED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What is in, and for every article that must wait, why."""

    lead: Article
    related: tuple[Article, ...]
    others: tuple[Article, ...]
    waiting: dict[int, str]


def fill(ranked: Sequence[Article], grouping: Grouping, rules: Rules) -> Filled:
    """Choose among ranked, distinct articles; there must be at least one."""
    lead = min(ranked, key=lead_rank)
    relations = Relations({article.id: article.title for article in ranked})
    filling = _Filling(rules=rules, grouping=grouping, relations=relations)
    filling.take(lead, in_section=False)
    close = relations.related_to(lead.id)
    related: list[Article] = []
    for article in ranked:
        if article.id in close and len(related) < MOST_RELATED and filling.has_room(article):
            filling.take(article, in_section=False)
            related.append(article)
    for _, tier in groupby(ranked, key=lambda article: (article.pinned, article.priority)):
        filling.take_turns(list(tier))
    apart = {lead.id, *(article.id for article in related)}
    others = tuple(a for a in ranked if a.id in filling.taken and a.id not in apart)
    waiting = {a.id: filling.obstacle(a) for a in ranked if a.id not in filling.taken}
    return Filled(lead=lead, related=tuple(related), others=others, waiting=waiting)


@dataclass(kw_only=True)
class _Filling:
    rules: Rules
    grouping: Grouping
    relations: Relations
    taken: set[int] = field(default_factory=set)
    overlapping: set[int] = field(default_factory=set)
    per_source: Counter[str] = field(default_factory=Counter)
    per_section: Counter[str] = field(default_factory=Counter)

    def take(self, article: Article, *, in_section: bool = True) -> None:
        self.taken.add(article.id)
        self.overlapping |= self.relations.similar_to(article.id, known=self.overlapping)
        self.per_source[article.source] += 1
        section = self.grouping.group_of.get(article.id)
        if in_section and section is not None:
            self.per_section[section] += 1

    def take_turns(self, tier: Sequence[Article]) -> None:
        """Round after round, each section in its order adds one article, while there is room."""
        order = self.grouping.order
        for tests in ((self._leads_a_story, self._is_distinct), (self.has_room,)):
            queues = [self._queue(tier, section, tests) for section in (*order, None)]
            while queues and len(self.taken) < self.rules.max_items:
                queues = [queue for queue in queues if self._take_next(queue)]

    def _queue(
        self, tier: Sequence[Article], section: str | None, tests: Iterable[_Test]
    ) -> Iterator[Article]:
        members = [a for a in tier if self.grouping.group_of.get(a.id) == section]
        for passes in tests:
            for article in members:
                # Asked at its turn, not before: what was taken meanwhile counts.
                if article.id not in self.taken and passes(article):
                    yield article

    def _leads_a_story(self, article: Article) -> bool:
        """Whether the article is the first of several that tell of the same."""
        return self._is_distinct(article) and (
            len(self.relations.related_to(article.id)) >= _SEVERAL
        )

    def _is_distinct(self, article: Article) -> bool:
        return article.id not in self.overlapping and self.has_room(article)

    def _take_next(self, queue: Iterator[Article]) -> bool:
        if len(self.taken) >= self.rules.max_items:
            return False
        article = next(queue, None)
        if article is None:
            return False
        self.take(article)
        return True

    def has_room(self, article: Article) -> bool:
        return not self.obstacle(article)

    def obstacle(self, article: Article) -> str:
        """Why the article cannot be in, as a sentence; empty if it can."""
        rules = self.rules
        if len(self.taken) >= rules.max_items:
            return f"over the limit of {rules.max_items} stories"
        section = self.grouping.group_of.get(article.id)
        if section is not None:
            most = self._most_in(section)
            if most is not None and self.per_section[section] >= most:
                return f"over the limit of {most} in {section}"
        most = rules.max_per_source
        if most is not None and self.per_source[article.source] >= most:
            return f"over the limit of {most} from {article.source}"
        return ""

    def _most_in(self, section: str) -> int | None:
        limits = (rule.max_items for rule in self.rules.sections if rule.title == section)
        return next(filter(None, limits), self.rules.max_per_section)
