"""`digest articles`: the material.

How articles and their fates are shown: as tables, and as JSON.

`digest articles pin` and the like: the editor's hand on single articles.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from digest.cli.console import note, print_json, say
from digest.cli.help import Command, Group
from digest.cli.options import ArticleNumber, AsJson, Limit, NewsletterOption
from digest.cli.session import reading, session_of, writing
from digest.cli.tables import print_table
from digest.errors import UsageError
from digest.ingest.dates import read_date
from digest.ingest.manual import upsert_manual
from digest.ingest.rows import Field, RejectedRow
from digest.lib.formatting import local
from digest.lib.timestamps import to_text
from digest.model.article import Article
from digest.storage import articles
from digest.storage.articles import ArticleDecision


def show_list(found: Sequence[Article], zone: ZoneInfo) -> None:
    """A table of articles; times are in `zone`."""
    rows = (
        (
            str(article.id),
            f"{article.published_at.astimezone(zone):%Y-%m-%d %H:%M}",
            article.section or "·",
            article.source,
            article.title + (" (withdrawn)" if article.withdrawn_at else ""),
        )
        for article in found
    )
    headers = (">ID", "Published", "Section", "Source", "Title")
    print_table(headers, rows, fold=("Section", "Source", "Title"))


def show_one(article: Article, fates: Sequence[ArticleDecision], zone: ZoneInfo) -> None:
    """Everything about one article, and what became of it; times are in `zone`."""
    rows = []
    for name, value in article_json(article).items():
        if value in (None, "", []):
            continue
        if name.endswith("_at"):
            shown = local(getattr(article, name), zone)
        else:
            shown = ", ".join(value) if isinstance(value, list) else str(value)
        rows.append((name.replace("_", " "), shown))
    rows += [(f"for {fate.newsletter}", _fate_in_words(fate)) for fate in fates]
    print_table(("", "value"), rows, fold=("value",), show_headers=False)


def _fate_in_words(fate: ArticleDecision) -> str:
    pinned = "pinned" if fate.pinned else ""
    if fate.decision is None:
        return pinned
    verdict, reason = str(fate.decision.verdict), fate.decision.reason
    if fate.edition is not None:
        told = f"in No. {fate.edition} ({reason})"
    else:
        # A reason may begin with the verdict: "dropped by the editor".
        told = reason if reason.startswith(verdict) else f"{verdict}: {reason}"
    return f"{pinned}; {told}" if pinned else told


def article_json(article: Article) -> dict[str, Any]:
    """An article as `--json` shows it."""

    def instant(at: datetime | None) -> str | None:
        return to_text(at) if at else None

    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "summary": article.summary,
        "section": article.section,
        "source": article.source,
        "author": article.author,
        "image_url": article.image_url,
        "tags": list(article.tags),
        "priority": article.priority,
        "published_at": instant(article.published_at),
        "first_seen_at": instant(article.first_seen_at),
        "edited_at": instant(article.edited_at),
        "expires_at": instant(article.expires_at),
        "withdrawn_at": instant(article.withdrawn_at),
    }


def fate_as_json(fate: ArticleDecision) -> dict[str, Any]:
    """What became of an article for one newsletter, as `--json` shows it."""
    decision = fate.decision
    return {
        "newsletter": fate.newsletter,
        "pinned": fate.pinned,
        "verdict": decision.verdict if decision else None,
        "reason": decision.reason if decision else None,
        "edition": fate.edition,
    }


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
    key = session_of(context).settings.newsletter(newsletter).key
    with writing(context) as db:
        article = articles.drop(db, key, number, reason=reason, now=datetime.now(UTC))
    _report("dropped", f"dropped from {key}", article, newsletter=key, as_json=as_json)


def withdraw(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Take an article back for every newsletter. What was mailed stays mailed.

    Example: `digest articles withdraw 12`
    """
    with writing(context) as db:
        article = articles.mark_withdrawn(db, number, datetime.now(UTC))
    _report("withdrawn", "withdrawn", article, newsletter=None, as_json=as_json)


def restore(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Take back a withdrawal: the article may stand in an edition again.

    Example: `digest articles restore 12`
    """
    with writing(context) as db:
        article, was_withdrawn = articles.restore(db, number, datetime.now(UTC))
    result = "restored" if was_withdrawn else "was not withdrawn"
    _report(result, result, article, newsletter=None, as_json=as_json)


def _report(
    result: str, told: str, article: Article, *, newsletter: str | None, as_json: bool
) -> None:
    if as_json:
        values = {"result": result, "newsletter": newsletter, "article": article_json(article)}
        print_json(values)
    else:
        say(f"{told}: {article.title}")


app = typer.Typer(
    name="articles",
    cls=Group,
    help="List, add and edit articles; pin, drop or withdraw them.\n\n"
    "Example: `digest articles list ferry --since 2026-03-01`",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command(cls=Command)
def add(
    context: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="Its headline.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it can be read.")],
    *,
    summary: Annotated[
        str | None, typer.Option("--summary", help="What it says, in short.")
    ] = None,
    section: Annotated[str | None, typer.Option("--section", help="Where it belongs.")] = None,
    author: Annotated[str | None, typer.Option("--author", help="Who wrote it.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="By default the site's name.")
    ] = None,
    image: Annotated[
        str | None, typer.Option("--image", help="A URL, or a path beside digest.toml.")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tags", metavar="TAG,…", help="Commas between them, or given repeatedly."),
    ] = None,
    priority: Annotated[
        int | None, typer.Option("--priority", help="A larger one comes first. By default 0.")
    ] = None,
    published: Annotated[
        str | None, typer.Option("--published", metavar="TIME", help="By default now.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="From then on it stays out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add one article by hand. The same URL again corrects its headline and what options say.

    What no option says stays as it is; an empty text empties it.

    Example: `digest articles add "Ferry runs again" https://www.example.com/ferry --section Town`
    """
    settings = session_of(context).settings
    fields = {
        Field.TITLE: title,
        Field.URL: url,
        Field.SUMMARY: summary,
        Field.SECTION: section,
        Field.AUTHOR: author,
        Field.PUBLISHER: source,
        Field.IMAGE_URL: image,
        Field.TAGS: None if tags is None else ",".join(tags),
        Field.PRIORITY: None if priority is None else str(priority),
        Field.PUBLISHED_AT: published,
        Field.EXPIRES_AT: expires,
    }
    told = {field: text for field, text in fields.items() if text is not None}
    with writing(context) as db:
        done = upsert_manual(
            db, told, site=settings.site, folder=settings.folder, now=datetime.now(UTC)
        )
    if isinstance(done, RejectedRow):
        raise UsageError(f"the article cannot be added: {done.reason}", hint=done.hint or None)
    article = done.article
    if as_json:
        print_json({"result": done.result, "article": article_json(article)})
    else:
        say(f"article {article.id} {done.result}: {article.title}")
    if article.withdrawn_at:
        note(f"it is withdrawn: `digest articles restore {article.id}` takes that back")


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="In title or summary.")] = None,
    *,
    section: Annotated[str | None, typer.Option("--section", help="Only of this section.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only from this source.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only published since then.")
    ] = None,
    limit: Limit = 30,
    as_json: AsJson = False,
) -> None:
    """List articles, the newest first.

    Example: `digest articles list ferry --section Town --since 2026-03-01`
    """
    settings = session_of(context).settings
    instant = _since(since, settings.site.timezone) if since else None
    with reading(context) as db:
        found = articles.search(
            db, text=text, section=section, source=source, since=instant, most=limit or -1
        )
    if as_json:
        print_json([article_json(article) for article in found])
        return
    if not found:
        note("no article fits")
        return
    show_list(found, settings.site.timezone)
    if len(found) == limit:
        note(f"these are the newest {limit:,}; --limit 0 shows all")


@app.command(cls=Command)
def show(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Show one article, and what became of it for each newsletter.

    Example: `digest articles show 12`
    """
    with reading(context) as db:
        article = articles.existing(db, number)
        fates = articles.article_decisions(db, number)
    if as_json:
        print_json(article_json(article) | {"newsletters": [fate_as_json(fate) for fate in fates]})
        return
    show_one(article, fates, session_of(context).settings.site.timezone)


# --- the editor's hand, in the order of `digest articles --help` ---

app.command(cls=Command)(pin)
app.command(cls=Command)(unpin)
app.command(cls=Command)(drop)
app.command(cls=Command)(withdraw)
app.command(cls=Command)(restore)


def _since(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return read_date(text, zone)
    except ValueError as error:
        raise UsageError(
            f"--since: {error}", hint="Such as 2026-03-12 or 2026-03-12T07:00."
        ) from None
