"""From candidates to an edition's stories, and one decision for every candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.lib.timestamps import to_text
from digest.model.article import Article, Decision, Verdict
from digest.model.edition import Story
from digest.model.newsletter import Rules
from digest.selection.fill import fill
from digest.selection.placement import Grouping, group, lay_out, rank
from digest.selection.similarity import first_of_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What stands in the edition, in reading order, and a decision for every candidate."""

    stories: tuple[Story, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFew:
    """The candidates do not fill an edition; nothing is decided and everything waits."""

    found: int
    needed: int


def select(candidates: Sequence[Article], rules: Rules, *, cutoff: datetime) -> Selection | TooFew:
    """Choose, in an order that depends on nothing but the arguments' values.

    Candidates were published before `cutoff` (one at the cutoff belongs to the next edition) and
    have no final decision yet. Older ones than `rules.max_age` are among them when they waited or
    are pinned; only a pin brings an old one in.

    Raises ValueError for a candidate from the future, which would be a fault of the caller.
    """
    ranked = sorted(candidates, key=rank)
    if any(article.published_at >= cutoff for article in ranked):
        raise ValueError(f"a candidate was published at or after the cutoff {cutoff}")
    grouping = group(ranked, rules)
    verdicts = {a.id: ruled_out(a, rules, grouping, cutoff) for a in ranked}
    eligible = [article for article in ranked if verdicts[article.id] is None]
    for repeat, original in first_of_each((a.id, a.title) for a in eligible).items():
        verdicts[repeat] = (Verdict.DUPLICATE, f"same headline as article {original}")
    distinct = [article for article in eligible if verdicts[article.id] is None]
    if len(distinct) < rules.min_items:
        return TooFew(found=len(distinct), needed=rules.min_items)

    filled = fill(distinct, grouping, rules)
    stories = lay_out(filled.lead, filled.related, filled.others, grouping, rules)
    if len(stories) < rules.min_items:
        return TooFew(found=len(stories), needed=rules.min_items)
    for story in stories:
        verdicts[story.article_id] = (Verdict.CHOSEN, place_of(story))
    for article_id, obstacle in filled.waiting.items():
        verdicts[article_id] = (Verdict.WAITING, obstacle)
    decisions = tuple(
        Decision(article_id=article_id, verdict=decided[0], reason=decided[1])
        for article_id, decided in verdicts.items()
        if decided is not None
    )
    return Selection(stories=stories, decisions=decisions)


def ruled_out(
    article: Article, rules: Rules, grouping: Grouping, cutoff: datetime
) -> tuple[Verdict, str] | None:
    """Why the article cannot be in any edition, ever; None if it may be."""
    if article.withdrawn_at is not None:
        return Verdict.WITHDRAWN, f"withdrawn at {to_text(article.withdrawn_at)}"
    if article.expires_at is not None and article.expires_at <= cutoff:
        return Verdict.EXPIRED, f"expired at {to_text(article.expires_at)}"
    if article.pinned:
        return None
    if article.published_at < cutoff - rules.max_age:
        return Verdict.TOO_OLD, f"published before {to_text(cutoff - rules.max_age)}"
    if rules.only_sections and article.id not in grouping.group_of:
        reason = f"no section takes {article.section}" if article.section else "it has no section"
        return Verdict.OUT_OF_SCOPE, reason
    return None


def place_of(story: Story) -> str:
    """Where a chosen story stands, as the reason of its decision."""
    where = f" in {story.section}" if story.section else ""
    return f"{story.placement}{where}, place {story.position}"
