"""`digest articles`: the material."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import article_views as views
from digest.cli.console import note, print_json, say
from digest.cli.editors_hand import drop, pin, restore, unpin, withdraw
from digest.cli.help import Command, Group
from digest.cli.options import ArticleNumber, AsJson, Limit
from digest.cli.session import reading, session_of, writing

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


app = typer.Typer(
    name="articles",
    cls=Group,
    help="The material: what was read, and the editor's hand on it.\n\n"
    "Example: `digest articles list ferry --since 2026-03-01`",
    no_args_is_help=True,
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
    from digest.errors import UsageError
    from digest.ingest.manual import keep_by_hand
    from digest.ingest.rows import Field, Rejected

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
        done = keep_by_hand(
            db, told, site=settings.site, folder=settings.folder, now=datetime.now(UTC)
        )
    if isinstance(done, Rejected):
        raise UsageError(f"the article cannot be added: {done.reason}", hint=done.hint or None)
    article = done.article
    if as_json:
        print_json({"result": done.result, "article": views.as_json(article)})
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
    from digest.storage import articles

    settings = session_of(context).settings
    instant = _since(since, settings.site.timezone) if since else None
    with reading(context) as db:
        found = articles.search(
            db, text=text, section=section, source=source, since=instant, most=limit or -1
        )
    if as_json:
        print_json([views.as_json(article) for article in found])
        return
    if not found:
        note("no article fits")
        return
    views.show_list(found, settings.site.timezone)
    if len(found) == limit:
        note(f"these are the newest {limit:,}; --limit 0 shows all")


@app.command(cls=Command)
def show(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Show one article, and what became of it for each newsletter.

    Example: `digest articles show 12`
    """
    from digest.storage import articles

    with reading(context) as db:
        article = articles.existing(db, number)
        fates = articles.fates(db, number)
    if as_json:
        print_json(
            views.as_json(article) | {"newsletters": [views.fate_as_json(fate) for fate in fates]}
        )
        return
    views.show_one(article, fates, session_of(context).settings.site.timezone)


# --- the editor's hand, in the order of `digest articles --help` ---

app.command(cls=Command)(pin)
app.command(cls=Command)(unpin)
app.command(cls=Command)(drop)
app.command(cls=Command)(withdraw)
app.command(cls=Command)(restore)


def _since(text: str, zone: "ZoneInfo") -> datetime | None:
    from digest.errors import UsageError
    from digest.ingest.dates import read_date

    try:
        return read_date(text, zone)
    except ValueError as error:
        raise UsageError(
            f"--since: {error}", hint="Such as 2026-03-12 or 2026-03-12T07:00."
        ) from None
