"""`digest articles`: the editor's hand on the material."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import article_views as views
from digest.cli.output import note, print_json, results
from digest.cli.session import session_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from digest.storage.connection import Database

app = typer.Typer(
    name="articles",
    help="The material: what was read, and the editor's hand on it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Number = Annotated[int, typer.Argument(metavar="ID", help="As `digest articles list` shows it.")]
Newsletter = Annotated[
    str | None,
    typer.Option("--newsletter", "-n", metavar="KEY", help="Its key; not needed for the only one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]


@app.command()
def add(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="Its headline.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it can be read.")],
    *,
    summary: Annotated[str, typer.Option("--summary", show_default=False)] = "",
    section: Annotated[str, typer.Option("--section", show_default=False)] = "",
    author: Annotated[str, typer.Option("--author", show_default=False)] = "",
    source: Annotated[str, typer.Option("--source", help="By default the site's name.")] = "",
    image: Annotated[
        str, typer.Option("--image", help="A URL, or a path beside digest.toml.")
    ] = "",
    tags: Annotated[str, typer.Option("--tags", help="With commas between them.")] = "",
    priority: Annotated[int, typer.Option("--priority", help="A larger one comes first.")] = 0,
    published: Annotated[
        str, typer.Option("--published", metavar="TIME", help="By default now.")
    ] = "",
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="From then on it stays out.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Add one article by hand. The same URL again corrects it.

    Example: `digest articles add "Ferry runs again" https://www.example.com/ferry --section Town`
    """
    from digest.errors import UsageError
    from digest.ingest.by_hand import article_by_hand
    from digest.ingest.reading import Field, Rejected
    from digest.storage import articles

    settings = session_of(context).settings
    fields = {
        Field.TITLE: title,
        Field.URL: url,
        Field.SUMMARY: summary,
        Field.SECTION: section,
        Field.AUTHOR: author,
        Field.PUBLISHER: source,
        Field.IMAGE_URL: image,
        Field.TAGS: tags,
        Field.PRIORITY: str(priority),
        Field.PUBLISHED_AT: published,
        Field.EXPIRES_AT: expires,
    }
    article = article_by_hand(fields, settings.site)
    if isinstance(article, Rejected):
        raise UsageError(f"the article cannot be added: {article.reason}")
    with _database(context) as db:
        kept = articles.keep(db, [article], datetime.now(UTC))
        stored = articles.by_identity(db, article.identity)
    what = "added" if kept.new else "corrected" if kept.edited else "is there already"
    if as_json:
        print_json({"result": what, "article": views.as_json(stored) if stored else None})
    else:
        number = f"article {stored.id}" if stored else "the article"
        results().print(f"{number} {what}: {article.title}", markup=False)


@app.command("list")
def list_(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="In title or summary.")] = None,
    *,
    section: Annotated[str | None, typer.Option("--section", help="Only of this section.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only from this source.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only published since then.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="At most so many.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List articles, the newest first.

    Example: `digest articles list ferry --section Town --since 2026-03-01`
    """
    from digest.storage import articles

    settings = session_of(context).settings
    instant = _since(since, settings.site.timezone) if since else None
    with _database(context, write=False) as db:
        found = articles.search(
            db, text=text, section=section, source=source, since=instant, most=most
        )
    if as_json:
        print_json([views.as_json(article) for article in found])
        return
    if not found:
        note("no article fits")
        return
    views.show_list(found, settings.site.timezone)
    if len(found) == most:
        note(f"these are the newest {most:,}: --most shows more")


@app.command()
def show(context: typer.Context, number: Number, *, as_json: AsJson = False) -> None:
    """Show one article, and what became of it for each newsletter.

    Example: `digest articles show 12`
    """
    from digest.storage import articles

    with _database(context, write=False) as db:
        article = articles.existing(db, number)
        fates = articles.fates(db, number)
    if as_json:
        print_json(
            views.as_json(article) | {"newsletters": [views.fate_as_json(fate) for fate in fates]}
        )
        return
    views.show_one(article, fates)


@app.command()
def pin(context: typer.Context, number: Number, *, newsletter: Newsletter = None) -> None:
    """Have an article in the next edition, before all others. It takes back a drop.

    Example: `digest articles pin 12`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with _database(context) as db:
        article = articles.pin(db, key, number, datetime.now(UTC))
    results().print(f"pinned for {key}: {article.title}", markup=False)


@app.command()
def unpin(context: typer.Context, number: Number, *, newsletter: Newsletter = None) -> None:
    """Take back a pin.

    Example: `digest articles unpin 12`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with _database(context) as db:
        article = articles.existing(db, number)
        was_pinned = articles.unpin(db, key, number)
    what = "no longer pinned" if was_pinned else "was not pinned"
    results().print(f"{what} for {key}: {article.title}", markup=False)


@app.command()
def drop(
    context: typer.Context,
    number: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Kept with the decision.")] = (
        "dropped by the editor"
    ),
    newsletter: Newsletter = None,
) -> None:
    """Keep an article out of a newsletter. It takes back a pin.

    Example: `digest articles drop 12 --reason "an advertisement"`
    """
    from digest.storage import articles

    key = session_of(context).settings.newsletter(newsletter).key
    with _database(context) as db:
        article = articles.drop(db, key, number, reason=reason, now=datetime.now(UTC))
    results().print(f"dropped from {key}: {article.title}", markup=False)


@app.command()
def withdraw(context: typer.Context, number: Number) -> None:
    """Take an article back for every newsletter. What was mailed stays mailed.

    Example: `digest articles withdraw 12`
    """
    from digest.storage import articles

    with _database(context) as db:
        article = articles.mark_withdrawn(db, number, datetime.now(UTC))
    results().print(f"withdrawn: {article.title}", markup=False)


@contextmanager
def _database(context: typer.Context, *, write: bool = True) -> "Iterator[Database]":
    from digest.storage.connection import Access, open_database

    path = session_of(context).settings.database
    with open_database(path, Access.WRITE if write else Access.READ) as db:
        yield db


def _since(text: str, zone: "ZoneInfo") -> datetime | None:
    from digest.errors import UsageError
    from digest.ingest.dates import read_date

    try:
        return read_date(text, zone)
    except ValueError as error:
        raise UsageError(
            f"--since: {error}", hint="Such as 2026-03-12 or 2026-03-12T07:00."
        ) from None
