"""`digest articles pin` and the like: the editor's hand on single articles."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import article_views as views
from digest.cli.console import print_json, say
from digest.cli.options import ArticleNumber, AsJson, NewsletterOption
from digest.cli.session import session_of, writing

if TYPE_CHECKING:
    from digest.model.article import Article


def pin(
    context: typer.Context,
    number: ArticleNumber,
    *,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Have an article in the next edition, before all others. It takes back a drop.

    Example: `digest articles pin 12`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with writing(context) as db:
        article = articles.pin(db, key, number, datetime.now(UTC))
    _report("pinned", f"pinned for {key}", article, newsletter=key, as_json=as_json)


def unpin(
    context: typer.Context,
    number: ArticleNumber,
    *,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Take back a pin.

    Example: `digest articles unpin 12`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with writing(context) as db:
        article = articles.existing(db, number)
        was_pinned = articles.unpin(db, key, number)
    what = "no longer pinned" if was_pinned else "was not pinned"
    _report(what, f"{what} for {key}", article, newsletter=key, as_json=as_json)


def drop(
    context: typer.Context,
    number: ArticleNumber,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the decision.")] = (
        "dropped by the editor"
    ),
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Keep an article out of a newsletter. It takes back a pin.

    Example: `digest articles drop 12 --reason "an advertisement"`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with writing(context) as db:
        article = articles.drop(db, key, number, reason=reason, now=datetime.now(UTC))
    _report("dropped", f"dropped from {key}", article, newsletter=key, as_json=as_json)


def withdraw(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Take an article back for every newsletter. What was mailed stays mailed.

    Example: `digest articles withdraw 12`
    """
    from digest.storage import articles

    with writing(context) as db:
        article = articles.mark_withdrawn(db, number, datetime.now(UTC))
    _report("withdrawn", "withdrawn", article, newsletter=None, as_json=as_json)


def restore(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Take back a withdrawal: the article may stand in an edition again.

    Example: `digest articles restore 12`
    """
    from digest.storage import articles

    with writing(context) as db:
        article, was_withdrawn = articles.restore(db, number, datetime.now(UTC))
    result = "restored" if was_withdrawn else "was not withdrawn"
    _report(result, result, article, newsletter=None, as_json=as_json)


def _report(
    result: str, told: str, article: "Article", *, newsletter: str | None, as_json: bool
) -> None:
    if as_json:
        values = {"result": result, "newsletter": newsletter, "article": views.as_json(article)}
        print_json(values)
    else:
        say(f"{told}: {article.title}")
