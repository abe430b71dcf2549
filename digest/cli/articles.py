"""`digest articles`: the editor's hand on the material."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.output import note, plain_table, print_json, print_table, results
from digest.cli.session import session_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from digest.model.article import Article
    from digest.storage.articles import Fate
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
        print_json({"result": what, "article": _as_json(stored) if stored else None})
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
        print_json([_as_json(article) for article in found])
        return
    if not found:
        note("no article fits")
        return
    _show_list(found, settings.site.timezone)
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
        print_json(_as_json(article) | {"newsletters": [_fate_as_json(fate) for fate in fates]})
        return
    _show_one(article, fates)


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


def _show_list(found: "Sequence[Article]", zone: "ZoneInfo") -> None:
    from rich.markup import escape

    table = plain_table(">ID", "Published", "Section", "Source", "Title")
    for article in found:
        table.add_row(
            str(article.id),
            f"{article.published_at.astimezone(zone):%Y-%m-%d %H:%M}",
            escape(article.section or "·"),
            escape(article.source),
            escape(article.title) + (" (withdrawn)" if article.withdrawn_at else ""),
        )
    print_table(table)


def _show_one(article: "Article", fates: "Sequence[Fate]") -> None:
    from rich.markup import escape

    table = plain_table("", "")
    table.show_header = False
    for name, value in _as_json(article).items():
        if value not in (None, "", []):
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            table.add_row(name.replace("_", " "), escape(shown))
    for fate in fates:
        table.add_row(f"for {fate.newsletter}", escape(_fate_in_words(fate)))
    print_table(table)


def _fate_in_words(fate: "Fate") -> str:
    pinned = "pinned" if fate.pinned else ""
    if fate.decision is None:
        return pinned
    verdict = f"{fate.decision.verdict}: {fate.decision.reason}"
    if fate.edition is not None:
        verdict = f"in No. {fate.edition} ({fate.decision.reason})"
    return f"{pinned}; {verdict}" if pinned else verdict


def _as_json(article: "Article") -> dict[str, Any]:
    from digest.model.instant import to_text

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


def _fate_as_json(fate: "Fate") -> dict[str, Any]:
    decision = fate.decision
    return {
        "newsletter": fate.newsletter,
        "pinned": fate.pinned,
        "verdict": decision.verdict if decision else None,
        "reason": decision.reason if decision else None,
        "edition": fate.edition,
    }
