"""How an explanation is shown: as a table, and as JSON.

`digest explain`: why an article is in an edition or out, why a reader got it or did not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

import typer

from digest.cli.console import Exit, note, print_json, say
from digest.cli.options import LARGEST, AsJson, At, newsletter_keys
from digest.cli.session import instant_of, reading, session_of, typed_in
from digest.cli.tables import print_table
from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import local
from digest.lib.timestamps import to_text
from digest.model.article import Article
from digest.publishing.editions.due_times import next_due_time
from digest.publishing.explain import (
    MOST,
    ArticleInNewsletter,
    ReaderExplanation,
    explain_article,
    explain_reader,
    find_articles,
)
from digest.storage import subscribers, suppressions
from digest.storage.database import Database
from digest.storage.explain import StoryPlace
from digest.storage.suppressions import Suppression
from digest.subscribers.address import normalise


@dataclass(frozen=True)
class Explanation:
    """Why a reader got an edition or did not, and when the next one is due."""

    reader: ReaderExplanation
    next_at: datetime | None


def show_article(
    article: Article, answers: Sequence[ArticleInNewsletter], settings: Settings
) -> None:
    """Which article it is, then a line or two for each newsletter."""
    zone = settings.site.timezone
    published = f"published {local(article.published_at, zone)}"
    say(f"article {article.id}: {article.title}")
    say(f"  {published}, first seen {local(article.first_seen_at, zone)}")
    if article.withdrawn_at:
        say(f"  withdrawn {local(article.withdrawn_at, zone)}")
    say("")
    rows = []
    for one in answers:
        for number, sentence in enumerate(_sentences(one, zone)):
            rows.append((one.newsletter if number == 0 else "", sentence))
    print_table(("", "why"), rows, fold=("why",), show_headers=False)


def _sentences(one: ArticleInNewsletter, zone: ZoneInfo) -> list[str]:
    decided = one.decided
    told = []
    if decided.place is not None:
        told.append(
            f"in No. {decided.place.number} ({decided.place.slot}): {_where(decided.place)}"
        )
    elif decided.decision is not None:
        # A reason may begin with the verdict: "withdrawn at …".
        verdict, reason = str(decided.decision.verdict), decided.decision.reason
        in_short = reason if reason.startswith(verdict) else f"{verdict}: {reason}"
        when = f", decided {local(decided.decided_at, zone)}" if decided.decided_at else ""
        told.append(f"in no edition: {in_short}{when}")
    else:
        told.append("nothing was decided yet")
    if decided.pinned:
        told.append("pinned by the editor")
    if one.prospect is not None:
        told.append(f"now {_prospect(one)}")
    return told


def _where(place: StoryPlace) -> str:
    words = {
        "lead": "the lead",
        "related": "a headline under the lead",
        "section": "with its deck",
        "headline": "a headline",
    }
    section = f" in {place.section}" if place.section else ""
    return f"{words[place.placement.value]}{section}, place {place.position}"


def _prospect(one: ArticleInNewsletter) -> str:
    prospect = one.prospect
    if prospect is None:
        return ""
    verdict = str(prospect.verdict) if prospect.verdict else ""
    told = prospect.reason
    if verdict and not told.startswith(verdict):
        told = f"{verdict}: {told}"
    return f"{prospect.short}; in one, {told}" if prospect.short else told


def show_choice(found: Sequence[Article], settings: Settings) -> None:
    """The articles that may be meant."""
    zone = settings.site.timezone
    rows = (
        (str(one.id), f"{one.published_at.astimezone(zone):%Y-%m-%d}", one.title) for one in found
    )
    print_table((">ID", "Published", "Title"), rows, fold=("Title",))


def show_reader(
    email: str, suppression: Suppression | None, answers: Sequence[Explanation]
) -> None:
    """What stands between a reader and the editions: a few lines for each newsletter."""
    say(email)
    if suppression:
        say(f"  must never be mailed since {suppression.since:%Y-%m-%d}: {suppression.reason}")
    if not answers:
        say("  on no list")
    for answer in answers:
        one = answer.reader
        say("")
        zone = one.newsletter.timezone
        rows = [(one.newsletter.key, _subscription(one, zone))]
        edition = one.edition
        name = f"No. {edition.number}" if edition else "edition"
        rows.append((name, f"{one.why}" if edition is None else f"{edition.slot}: {one.why}"))
        if answer.next_at is not None:
            rows.append(("next", f"due {local(answer.next_at, zone)}"))
        print_table(("", "why"), rows, fold=("why",), show_headers=False)


def _subscription(one: ReaderExplanation, zone: ZoneInfo) -> str:
    if one.subscription is None:
        return "not on its list"
    topics = ", ".join(one.subscription.topics)
    about = f", topics {topics}" if topics else ""
    return f"{one.subscription.state} since {local(one.subscription.since, zone)}{about}"


def named(article: Article) -> dict[str, Any]:
    """Which article it is, as `--json` says it."""
    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "published_at": _text(article.published_at),
        "first_seen_at": _text(article.first_seen_at),
        "withdrawn_at": _text(article.withdrawn_at),
    }


def article_as_json(article: Article, answers: Sequence[ArticleInNewsletter]) -> dict[str, Any]:
    """An article and why it is where it is, as `--json` says it."""
    return {
        "article": named(article),
        "newsletters": [
            {
                "newsletter": one.newsletter,
                "verdict": one.decided.decision.verdict if one.decided.decision else None,
                "reason": one.decided.decision.reason if one.decided.decision else None,
                "decided_at": _text(one.decided.decided_at),
                "edition": _place_as_json(one.decided.place) if one.decided.place else None,
                "pinned": one.decided.pinned,
                "now": {
                    "verdict": one.prospect.verdict,
                    "reason": one.prospect.reason,
                    "too_few": one.prospect.short or None,
                }
                if one.prospect
                else None,
            }
            for one in answers
        ],
    }


def _place_as_json(place: StoryPlace) -> dict[str, Any]:
    return {
        "number": place.number,
        "slot": place.slot,
        "placement": place.placement,
        "section": place.section,
        "position": place.position,
        "title": place.title,
    }


def reader_as_json(
    email: str, suppression: Suppression | None, answers: Sequence[Explanation]
) -> dict[str, Any]:
    """A reader and why it is so, as `--json` says it."""
    return {
        "email": email,
        "suppressed": suppression
        and {"reason": suppression.reason, "since": _text(suppression.since)},
        "newsletters": [_answer_as_json(answer) for answer in answers],
    }


def _answer_as_json(answer: Explanation) -> dict[str, Any]:
    one = answer.reader
    edition, subscription = one.edition, one.subscription
    delivery = edition.delivery if edition else None
    return {
        "newsletter": one.newsletter.key,
        "subscription": subscription
        and {"state": subscription.state, "since": _text(subscription.since)},
        "edition": edition
        and {
            "number": edition.number,
            "slot": edition.slot,
            "prepared_at": _text(edition.prepared_at),
        },
        "delivery": delivery
        and {
            "state": delivery.state,
            "reply": delivery.reply or None,
            "attempts": delivery.attempts,
            "due_at": _text(delivery.due_at),
            "next_attempt_at": _text(delivery.next_attempt_at),
            "finished_at": _text(delivery.finished_at),
        },
        "why": one.why,
        "next_at": _text(answer.next_at),
    }


def _text(instant: datetime | None) -> str | None:
    return to_text(instant) if instant else None


def explain(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="ARTICLE|EMAIL",
            help="An article by its number, its link or words of its title; a reader by the"
            " address.",
        ),
    ],
    *,
    newsletter: Annotated[
        str | None,
        typer.Option(
            "--newsletter",
            "-n",
            metavar="KEY",
            help="Only for this newsletter; by default for each.",
            autocompletion=newsletter_keys,
        ),
    ] = None,
    edition: Annotated[
        int | None,
        typer.Option(
            "--edition",
            metavar="N",
            min=1,
            max=LARGEST,
            help="A reader: of the edition of this number. By default the newest.",
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Explain why an article was chosen or not, or what a reader got.

    For an article: what was decided, where it stands, and what an edition now would do with it.
    For a reader: what became of the message, or why there is none, and when the next one is due.

    Example: `digest explain ferry runs`

    Example: `digest explain eva@example.com --edition 12`
    """
    settings = session_of(context).settings
    if newsletter is not None:
        settings.newsletter(newsletter)
    now = instant_of(at, settings)
    text = " ".join(what).strip()
    with reading(context) as db:
        if _is_address(text):
            _reader(db, settings, text, now, newsletter, edition, as_json=as_json)
        elif edition is not None:
            raise UsageError(
                "--edition is for a reader; an article is in one edition of a newsletter at most"
            )
        else:
            _article(db, settings, text, now, newsletter, as_json=as_json)


def _is_address(text: str) -> bool:
    return "@" in text and "://" not in text and not any(map(str.isspace, text))


def _article(
    db: Database,
    settings: Settings,
    text: str,
    now: datetime,
    newsletter: str | None,
    *,
    as_json: bool,
) -> None:
    found = find_articles(db, text)
    if len(found) != 1:
        _which(found, text, settings, as_json=as_json)
    article = found[0]
    answers = explain_article(db, settings, article, now=now, only=newsletter)
    if as_json:
        print_json(article_as_json(article, answers))
    else:
        show_article(article, answers, settings)


def _which(found: tuple[Article, ...], text: str, settings: Settings, *, as_json: bool) -> NoReturn:
    """Nothing that was said names one article. Raises UsageError, or lists what may be meant."""
    if not found:
        raise UsageError(
            f"no article has {text!r} as its number, its link or words of its title",
            hint="`digest articles list WORD` looks into summaries, too.",
        )
    if as_json:
        print_json({"could_be": [named(article) for article in found]})
    else:
        show_choice(found, settings)
    cut = f"; of more than these the newest {MOST} are here" if len(found) == MOST else ""
    note(f"several articles fit {text!r}: name one by its number{cut}")
    raise typer.Exit(Exit.USAGE)


def _reader(
    db: Database,
    settings: Settings,
    email: str,
    now: datetime,
    newsletter: str | None,
    edition: int | None,
    *,
    as_json: bool,
) -> None:
    with typed_in():
        address = normalise(email)
    person = subscribers.find(db, address)
    suppression = suppressions.find(db, address)
    if person is None and suppression is None:
        raise UsageError(
            f"{address} is on no list, and never was",
            hint="`digest subscribers list` shows who is on one.",
        )
    answers = (
        explain_reader(db, settings, person, now=now, only=newsletter, number=edition)
        if person
        else ()
    )
    missing = [one for one in answers if one.edition is None] if edition else []
    if missing and len(missing) == len(answers):
        keys = ", ".join(one.newsletter.key for one in missing)
        raise UsageError(f"--edition: {keys} has no edition No. {edition}")
    told = [
        Explanation(
            one,
            next_due_time(db, one.newsletter, one.subscription, now)
            if one.subscription and not suppression
            else None,
        )
        for one in answers
    ]
    stored = person.email if person else address
    if as_json:
        print_json(reader_as_json(stored, suppression, told))
    else:
        show_reader(stored, suppression, told)
