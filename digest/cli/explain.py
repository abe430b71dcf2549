"""`digest explain`: why an article is in an edition or out, why a reader got it or did not."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from digest.cli import explain_views as views
from digest.cli.console import Exit, note, print_json
from digest.cli.options import LARGEST, AsJson, At, newsletter_keys
from digest.cli.session import instant_of, reading, session_of, typed_in
from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.model.article import Article
    from digest.storage.database import Database


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
    """Say why an article is in an edition or out of it, or why a reader got one or did not.

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
    db: "Database",
    settings: "Settings",
    text: str,
    now: datetime,
    newsletter: str | None,
    *,
    as_json: bool,
) -> None:
    from digest.publishing.explain import explain_article, meant

    found = meant(db, text)
    if len(found) != 1:
        _which(found, text, settings, as_json=as_json)
    article = found[0]
    answers = explain_article(db, settings, article, now=now, only=newsletter)
    if as_json:
        print_json(views.article_as_json(article, answers))
    else:
        views.show_article(article, answers, settings)


def _which(
    found: tuple["Article", ...], text: str, settings: "Settings", *, as_json: bool
) -> NoReturn:
    """Nothing that was said names one article. Raises UsageError, or lists what may be meant."""
    from digest.publishing.explain import MOST

    if not found:
        raise UsageError(
            f"no article has {text!r} as its number, its link or words of its title",
            hint="`digest articles list WORD` looks into summaries, too.",
        )
    if as_json:
        print_json({"could_be": [views.named(article) for article in found]})
    else:
        views.show_choice(found, settings)
    cut = f"; of more than these the newest {MOST} are here" if len(found) == MOST else ""
    note(f"several articles fit {text!r}: name one by its number{cut}")
    raise typer.Exit(Exit.USAGE)


def _reader(
    db: "Database",
    settings: "Settings",
    email: str,
    now: datetime,
    newsletter: str | None,
    edition: int | None,
    *,
    as_json: bool,
) -> None:
    from digest.publishing.editions.due_times import next_hour
    from digest.publishing.explain import explain_reader
    from digest.storage import subscribers, suppressions
    from digest.subscribers.address import normalise

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
        views.Answer(
            one,
            next_hour(db, one.newsletter, one.subscription, now)
            if one.subscription and not suppression
            else None,
        )
        for one in answers
    ]
    stored = person.email if person else address
    if as_json:
        print_json(views.reader_as_json(stored, suppression, told))
    else:
        views.show_reader(stored, suppression, told)
