"""Explaining why an article is in an edition or not, and why a reader got one or did not."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from digest.config import Settings
from digest.ingest.urls import canonical, cleaned
from digest.lib.formatting import local
from digest.model.article import Article, Verdict
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Action, Subscriber, Subscription
from digest.publishing.editions.due_times import next_due_time
from digest.selection import TooFew, select
from digest.selection.placement import group
from digest.selection.select import ruled_out
from digest.storage import articles, drafts, explain, subscriptions, suppressions
from digest.storage.articles import ArticleDecision
from digest.storage.candidates import candidates
from digest.storage.database import Database
from digest.storage.explain import DeliveryDetail, ReaderEdition

#: At most so many articles are listed that a text may refer to.
MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an edition now would decide on an article that is still open.

    `verdict` is None where it is not a candidate. `short` says that there are too few stories for
    an edition at all.
    """

    verdict: Verdict | None
    reason: str
    short: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleInNewsletter:
    """An article and one newsletter; `forecast` is None where the decision is final."""

    newsletter: str
    decided: ArticleDecision
    forecast: Forecast | None


def find_articles(db: Database, text: str) -> tuple[Article, ...]:
    """The articles with this number, this link or these words in the title; the newest first."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        article = articles.find(db, int(text))
        if article is not None:
            return (article,)
    if "://" in text:
        try:
            link = cleaned(text)
            return explain.find_by_link(db, link, canonical(link))
        except ValueError:
            return ()
    return explain.find_by_words(db, text, most=MOST)


def explain_article(
    db: Database, settings: Settings, article: Article, *, now: datetime, only: str | None = None
) -> tuple[ArticleInNewsletter, ...]:
    """What `only` one newsletter or each has decided on an article, or would decide at `now`."""
    newsletters = [settings.newsletter(only)] if only else settings.newsletters.values()
    decisions = {entry.newsletter: entry for entry in articles.article_decisions(db, article.id)}
    answers = []
    for newsletter in newsletters:
        key = newsletter.key
        decided = decisions.get(key, ArticleDecision(newsletter=key))
        forecast = None
        if decided.decision is None or decided.decision.verdict is Verdict.WAITING:
            forecast = _forecast(db, replace(article, pinned=decided.pinned), newsletter, now)
        answers.append(ArticleInNewsletter(newsletter=key, decided=decided, forecast=forecast))
    return tuple(answers)


def _forecast(db: Database, article: Article, newsletter: Newsletter, now: datetime) -> Forecast:
    """What the next edition would decide on the article, by the code that makes editions."""
    for draft in drafts.still_open(db, newsletter.key):
        where = f"the draft for {draft.slot.name}"
        if article.id in draft.contents.dropped:
            return Forecast(verdict=Verdict.DROPPED, reason=f"by the editor, in {where}")
        if article.id in {placed.article_id for placed in draft.contents.placed}:
            return Forecast(verdict=Verdict.CHOSEN, reason=f"in {where}, which is {draft.state}")
    rules = newsletter.rules
    if article.published_at >= now:
        return Forecast(verdict=None, reason="it is not published yet")
    exclusion = ruled_out(article, rules, group([article], rules), now)
    if exclusion is not None:
        return Forecast(verdict=exclusion[0], reason=exclusion[1])
    eligible = candidates(db, newsletter.key, since=now - rules.max_age, cutoff=now).articles
    selection, short = select(eligible, rules, cutoff=now), ""
    if isinstance(selection, TooFew):
        short = f"{selection.found} of {selection.needed} stories: no edition would be made"
        # With fewer stories, to tell what would become of this one.
        selection = select(eligible, replace(rules, min_items=1), cutoff=now)
    decisions = () if isinstance(selection, TooFew) else selection.decisions
    decision = next((each for each in decisions if each.article_id == article.id), None)
    if decision is None:
        return Forecast(verdict=None, reason="it is not a candidate", short=short)
    return Forecast(verdict=decision.verdict, reason=decision.reason, short=short)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderExplanation:
    """A person and one newsletter: the subscription, the edition, and why it was got or not.

    `edition` is None where the newsletter has none yet. `why` is a sentence; its times are in the
    newsletter's zone. `next_at` is when the next edition is due for this person, if any is.
    """

    newsletter: Newsletter
    subscription: Subscription | None
    edition: ReaderEdition | None
    why: str
    next_at: datetime | None


def explain_reader(
    db: Database,
    settings: Settings,
    person: Subscriber,
    *,
    now: datetime,
    only: str | None = None,
    number: int | None = None,
) -> tuple[ReaderExplanation, ...]:
    """Why a person got an edition or did not: the newest, or the one of this number.

    For `only` one newsletter, or for each that the person was ever on the list of.
    """
    known = {entry.newsletter: entry for entry in subscriptions.of(db, person)}
    keys = [only] if only else [key for key in settings.newsletters if key in known]
    may_be_mailed = suppressions.find(db, person.email) is None
    answers = []
    for newsletter in map(settings.newsletter, keys):
        edition = explain.reader_edition(db, newsletter.key, person.id, number=number)
        subscription = known.get(newsletter.key)
        answers.append(
            ReaderExplanation(
                newsletter=newsletter,
                subscription=subscription,
                edition=edition,
                why=_why(newsletter, subscription, edition, now),
                next_at=next_due_time(db, newsletter, subscription, now)
                if subscription and may_be_mailed
                else None,
            )
        )
    return tuple(answers)


def _why(
    newsletter: Newsletter,
    subscription: Subscription | None,
    edition: ReaderEdition | None,
    now: datetime,
) -> str:
    if edition is None:
        return "there is no edition yet"
    if edition.delivery is not None:
        return _delivery_result(edition.delivery, newsletter, now)
    if subscription is None:
        return f"never on the list of {newsletter.key}"
    return _why_no_delivery(edition, subscription, newsletter)


def _delivery_result(delivery: DeliveryDetail, newsletter: Newsletter, now: datetime) -> str:
    """How a delivery ended, or what it waits for."""
    reply = f": {delivery.reply}" if delivery.reply else ""
    attempt = "" if delivery.attempts < 2 else f", at attempt {delivery.attempts}"
    ended = f" {local(delivery.finished_at, newsletter.timezone)}" if delivery.finished_at else ""
    match delivery.state:
        case DeliveryState.SENT:
            return f"the server accepted the message{ended}{attempt}{reply}"
        case DeliveryState.REJECTED:
            return f"the server rejected the message{ended}{attempt}{reply}"
        case DeliveryState.UNKNOWN:
            return (
                f"nobody knows whether it arrived{ended}{attempt}{reply};"
                " `digest resume --unknown` decides"
            )
        case DeliveryState.WITHHELD:
            return f"it was withheld{ended}{reply}"
        case DeliveryState.DEFERRED:
            again = delivery.next_attempt_at
            then = f"; tried again {local(again, newsletter.timezone)}" if again else ""
            return f"the server deferred it{attempt}{reply}{then}"
        case DeliveryState.SENDING:
            return "it is being sent, or was when digest was killed"
        case DeliveryState.QUEUED:
            due_at = delivery.due_at
            if due_at is not None and due_at > now:
                return f"it waits for the reader's own time, {local(due_at, newsletter.timezone)}"
            return f"it is queued{reply}"
        case _:
            assert_never(delivery.state)


def _why_no_delivery(
    edition: ReaderEdition, subscription: Subscription, newsletter: Newsletter
) -> str:
    """Why there is no delivery, by the receipts that were there when the edition was prepared."""
    prepared = f"it was prepared {local(edition.prepared_at, newsletter.timezone)}"
    last = edition.consent
    if last is None:
        if edition.pruned and subscription.since <= edition.prepared_at:
            return _PRUNED
        joined = local(subscription.since, newsletter.timezone)
        return f"{prepared}, and this reader joined later, {joined}"
    when = local(last.at, newsletter.timezone)
    match last.action:
        case Action.SUBSCRIBED | Action.RETURNED | Action.CHANGED:
            if edition.pruned:
                return _PRUNED
            return f"{prepared}, when this reader was active: `digest audit` checks this"
        case Action.LISTED:
            return f"{prepared}, when this reader was not active: {last.wording}"
        case Action.PAUSED | Action.UNSUBSCRIBED | Action.SUPPRESSED:
            return f"{prepared}, and this reader had {_PAST[last.action]} {when}: {last.wording}"
        case _:
            assert_never(last.action)


_PRUNED: Final = "the record of its deliveries was pruned, and only totals are left"

_PAST: Final = {
    Action.PAUSED: "paused",
    Action.UNSUBSCRIBED: "unsubscribed",
    Action.SUPPRESSED: "been suppressed",
}
