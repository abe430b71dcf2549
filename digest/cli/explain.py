"""`digest explain`: why an article was chosen or not, or what a reader got and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from digest.cli.console import Exit, fields_of, note, print_json, say
from digest.cli.options import LARGEST, AsJson, At, argument, newsletter_keys, option
from digest.cli.session import instant_of, reading, session_of, typed_address
from digest.cli.tables import print_table
from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import local
from digest.model.article import Article
from digest.publishing.explain import (
    MOST,
    ArticleInNewsletter,
    Forecast,
    ReaderExplanation,
    explain_article,
    explain_reader,
    find_articles,
)
from digest.storage import subscribers, suppressions
from digest.storage.articles import StoryPlace
from digest.storage.database import Database
from digest.storage.suppressions import Suppression


def explain(
    context: typer.Context,
    what: Annotated[
        list[str],
        argument(
            "An article's number, URL or words of its title; or a reader's address.",
            metavar="ARTICLE|EMAIL",
        ),
    ],
    *,
    newsletter: Annotated[
        str | None,
        option(
            "Only this newsletter (default: all).",
            "--newsletter",
            "-n",
            metavar="KEY",
            autocompletion=newsletter_keys,
        ),
    ] = None,
    edition: Annotated[
        int | None,
        option(
            "For a reader: the edition with this number (default: the newest).", min=1, max=LARGEST
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Explain why an article was chosen or not, or what a reader got.

    For an article: what each newsletter decided, its place in the edition, and what the next
    edition would do with it. For a reader: what happened to the message, or why there is none, and
    when the next edition is due.

    Example: `digest explain ferry runs`

    Example: `digest explain eva@example.com --edition 12`
    """
    settings = session_of(context).settings
    if newsletter is not None:
        settings.newsletter(newsletter)
    now = instant_of(at, settings)
    text = " ".join(what).strip()
    if _is_address(text):
        with reading(context) as db:
            reader = _reader(db, settings, text, now, newsletter, edition)
        if as_json:
            print_json(_subscriber_json(*reader))
        else:
            _show_reader(*reader)
        return
    if edition is not None:
        raise UsageError(
            "--edition can only be used with a reader: an article is in one edition at most"
        )
    with reading(context) as db:
        article = _one_article(find_articles(db, text), text, settings, as_json=as_json)
        answers = explain_article(db, settings, article, now=now, only=newsletter)
    if as_json:
        print_json(_article_json(article, answers))
    else:
        _show_article(article, answers, settings)


def _is_address(text: str) -> bool:
    return "@" in text and "://" not in text and not any(map(str.isspace, text))


def _one_article(
    matches: Sequence[Article], text: str, settings: Settings, *, as_json: bool
) -> Article:
    """The only match; lists several of them and exits, and raises UsageError if there is none."""
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(
            f"no article has {text!r} as its number, its URL or words of its title",
            hint="`digest articles list WORD` searches summaries too.",
        )
    if as_json:
        print_json({"could_be": [_article_fields(article) for article in matches]})
    else:
        zone = settings.site.timezone
        rows = (
            (str(article.id), f"{article.published_at.astimezone(zone):%Y-%m-%d}", article.title)
            for article in matches
        )
        print_table((">ID", "Published", "Title"), rows, fold=("Title",))
    newest = f" (only the newest {MOST} are listed)" if len(matches) == MOST else ""
    note(f"several articles match {text!r}: name one by its number{newest}")
    raise typer.Exit(Exit.USAGE)


def _reader(
    db: Database,
    settings: Settings,
    email: str,
    now: datetime,
    newsletter: str | None,
    edition: int | None,
) -> tuple[str, Suppression | None, Sequence[ReaderExplanation]]:
    """The stored address, why it is suppressed if it is, and an answer for each newsletter."""
    address = typed_address(email)
    person = subscribers.find(db, address)
    suppression = suppressions.find(db, address)
    if person is None and suppression is None:
        raise UsageError(
            f"{address} is not on any list and never was",
            hint="`digest subscribers list` shows who is on the list.",
        )
    if person is None:
        return address, suppression, ()
    answers = explain_reader(db, settings, person, now=now, only=newsletter, number=edition)
    if edition and answers and all(answer.edition is None for answer in answers):
        keys = ", ".join(answer.newsletter.key for answer in answers)
        raise UsageError(f"--edition: {keys} has no edition No. {edition}")
    return person.email, suppression, answers


def _show_article(
    article: Article, answers: Sequence[ArticleInNewsletter], settings: Settings
) -> None:
    zone = settings.site.timezone
    published = f"published {local(article.published_at, zone)}"
    say(f"article {article.id}: {article.title}")
    say(f"  {published}, first seen {local(article.first_seen_at, zone)}")
    if article.withdrawn_at:
        say(f"  withdrawn {local(article.withdrawn_at, zone)}")
    say("")
    rows = [
        (answer.newsletter if number == 0 else "", sentence)
        for answer in answers
        for number, sentence in enumerate(_sentences(answer, zone))
    ]
    print_table(("", "why"), rows, fold=("why",), show_headers=False)


def _sentences(answer: ArticleInNewsletter, zone: ZoneInfo) -> list[str]:
    decided = answer.decided
    sentences = []
    if decided.place is not None:
        sentences.append(
            f"in No. {decided.place.number} ({decided.place.slot}): {_where(decided.place)}"
        )
    elif decided.decision is not None:
        in_short = decided.decision.verdict.with_reason(decided.decision.reason)
        when = f", decided {local(decided.decided_at, zone)}" if decided.decided_at else ""
        sentences.append(f"in no edition: {in_short}{when}")
    else:
        sentences.append("not decided yet")
    if decided.pinned:
        sentences.append("pinned by the editor")
    if answer.forecast is not None:
        sentences.append(f"now {_forecast_in_words(answer.forecast)}")
    return sentences


def _where(place: StoryPlace) -> str:
    words = {
        "lead": "the lead",
        "related": "a headline under the lead",
        "section": "with its deck",
        "headline": "a headline",
    }
    section = f" in {place.section}" if place.section else ""
    return f"{words[place.placement.value]}{section}, place {place.position}"


def _forecast_in_words(forecast: Forecast) -> str:
    verdict, reason = forecast.verdict, forecast.reason
    sentence = verdict.with_reason(reason) if verdict else reason
    return f"{forecast.short}; with enough stories, {sentence}" if forecast.short else sentence


def _show_reader(
    email: str, suppression: Suppression | None, answers: Sequence[ReaderExplanation]
) -> None:
    say(email)
    if suppression:
        say(f"  suppressed since {suppression.since:%Y-%m-%d}: {suppression.reason}")
    if not answers:
        say("  not on any list")
    for reader in answers:
        zone, edition = reader.newsletter.timezone, reader.edition
        got = (f"No. {edition.number}", f"{edition.slot}: ") if edition else ("edition", "")
        rows = [
            (reader.newsletter.key, _subscription(reader, zone)),
            (got[0], got[1] + reader.why),
        ]
        if reader.next_at is not None:
            rows.append(("next", f"due {local(reader.next_at, zone)}"))
        say("")
        print_table(("", "why"), rows, fold=("why",), show_headers=False)


def _subscription(reader: ReaderExplanation, zone: ZoneInfo) -> str:
    if reader.subscription is None:
        return "not on its list"
    topics = ", ".join(reader.subscription.topics)
    about = f", topics {topics}" if topics else ""
    return f"{reader.subscription.state} since {local(reader.subscription.since, zone)}{about}"


def _article_fields(article: Article) -> dict[str, Any]:
    """Which article it is, for `--json`."""
    names = ("id", "title", "url", "published_at", "first_seen_at", "withdrawn_at")
    return fields_of(article, *names)


def _article_json(article: Article, answers: Sequence[ArticleInNewsletter]) -> dict[str, Any]:
    return {
        "article": _article_fields(article),
        "newsletters": [_newsletter_json(answer) for answer in answers],
    }


def _newsletter_json(answer: ArticleInNewsletter) -> dict[str, Any]:
    decided, decision, forecast = answer.decided, answer.decided.decision, answer.forecast
    place = ("number", "slot", "placement", "section", "position", "title")
    return {
        "newsletter": answer.newsletter,
        "verdict": decision and decision.verdict,
        "reason": decision and decision.reason,
        "decided_at": decided.decided_at,
        "edition": decided.place and fields_of(decided.place, *place),
        "pinned": decided.pinned,
        "now": forecast
        and fields_of(forecast, "verdict", "reason") | {"too_few": forecast.short or None},
    }


def _subscriber_json(
    email: str, suppression: Suppression | None, answers: Sequence[ReaderExplanation]
) -> dict[str, Any]:
    return {
        "email": email,
        "suppressed": suppression and fields_of(suppression, "reason", "since"),
        "newsletters": [_answer_json(answer) for answer in answers],
    }


def _answer_json(answer: ReaderExplanation) -> dict[str, Any]:
    subscription, edition = answer.subscription, answer.edition
    delivery = edition and edition.delivery
    return {
        "newsletter": answer.newsletter.key,
        "subscription": subscription and fields_of(subscription, "state", "since"),
        "edition": edition and fields_of(edition, "number", "slot", "prepared_at"),
        "delivery": delivery
        and fields_of(delivery, "state")
        | {"reply": delivery.reply or None}
        | fields_of(delivery, "attempts", "due_at", "next_attempt_at", "finished_at"),
        "why": answer.why,
        "next_at": answer.next_at,
    }
