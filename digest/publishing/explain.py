"""Explain an article: why it is in an edition or out of it, and what would become of it now."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from digest.config import Settings
from digest.ingest.urls import canonical, cleaned
from digest.model.article import Article, Decision, Verdict
from digest.model.newsletter import Newsletter
from digest.selection import TooFew, select
from digest.selection.placement import group
from digest.selection.select import ruled_out
from digest.storage import articles, drafts, explain
from digest.storage.candidates import candidates
from digest.storage.database import Database
from digest.storage.explain import Decided

#: Of articles that could be meant, so many are told.
MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What an edition now would do with an article that it may still choose.

    `verdict` is None where it is not a candidate yet. `short` says that there are too few stories
    for an edition at all.
    """

    verdict: Verdict | None
    reason: str
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InNewsletter:
    """An article for one newsletter; `prospect` is None where its fate is final."""

    newsletter: str
    decided: Decided
    prospect: Prospect | None


def meant(db: Database, text: str) -> tuple[Article, ...]:
    """The articles that a number, a link or words of a title mean; the newest first."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        found = articles.find(db, int(text))
        if found is not None:
            return (found,)
    if "://" in text:
        try:
            link = cleaned(text)
            return explain.at_address(db, link, canonical(link))
        except ValueError:
            return ()
    return explain.with_words(db, text, most=MOST)


def explain_article(
    db: Database, settings: Settings, article: Article, *, now: datetime, only: str | None = None
) -> tuple[InNewsletter, ...]:
    """What became of an article, for `only` one newsletter or for each, and what would at `now`."""
    newsletters = [settings.newsletter(only)] if only else settings.newsletters.values()
    return tuple(_for_newsletter(db, article, one, now) for one in newsletters)


def _for_newsletter(
    db: Database, article: Article, newsletter: Newsletter, now: datetime
) -> InNewsletter:
    decided = explain.decided(db, newsletter.key, article.id)
    final = decided.decision is not None and decided.decision.verdict is not Verdict.WAITING
    return InNewsletter(
        newsletter=newsletter.key,
        decided=decided,
        prospect=None if final else _prospect(db, article, newsletter, now, pinned=decided.pinned),
    )


def _prospect(
    db: Database, article: Article, newsletter: Newsletter, now: datetime, *, pinned: bool
) -> Prospect:
    """What the next edition would do with the article, by the code that makes it."""
    for one in drafts.still_open(db, newsletter.key):
        where = f"the draft for {one.slot.name}"
        if article.id in one.proposal.dropped:
            return Prospect(verdict=Verdict.DROPPED, reason=f"dropped from {where}")
        if article.id in {placed.article_id for placed in one.proposal.placed}:
            return Prospect(verdict=Verdict.CHOSEN, reason=f"in {where}, which is {one.state}")
    article, rules = replace(article, pinned=pinned), newsletter.rules
    if article.published_at >= now:
        return Prospect(verdict=None, reason="it is not published yet")
    against = ruled_out(article, rules, group([article], rules), now)
    if against is not None:
        return Prospect(verdict=against[0], reason=against[1])
    found = candidates(db, newsletter.key, since=now - rules.max_age, cutoff=now).articles
    selection, short = select(found, rules, cutoff=now), ""
    if isinstance(selection, TooFew):
        short = f"{selection.found} of {selection.needed} stories: no edition would be made"
        # With what there is, so that it can be said what becomes of this one.
        selection = select(found, replace(rules, min_items=1), cutoff=now)
    decisions = () if isinstance(selection, TooFew) else selection.decisions
    mine = _of(article, decisions)
    if mine is None:
        return Prospect(verdict=None, reason="it is no candidate", short=short)
    return Prospect(verdict=mine.verdict, reason=mine.reason, short=short)


def _of(article: Article, decisions: tuple[Decision, ...]) -> Decision | None:
    return next((one for one in decisions if one.article_id == article.id), None)
