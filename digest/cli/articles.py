"""`digest articles`: list, add and edit articles; pin, drop or withdraw them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from digest.cli.console import fields_of, note, print_json, print_result
from digest.cli.help import Command, command_group
from digest.cli.options import (
    LARGEST,
    ArticleNumber,
    AsJson,
    Limit,
    NewsletterOption,
    argument,
    option,
)
from digest.cli.session import key_of, reading, session_of, writing
from digest.cli.tables import print_table
from digest.errors import UsageError
from digest.ingest.dates import read_date
from digest.ingest.manual import upsert_manual
from digest.ingest.rows import Field, RejectedRow
from digest.lib.formatting import local
from digest.model.article import Article
from digest.storage import articles
from digest.storage.articles import ArticleDecision

#: What is shown of an article, in this order.
_FIELDS: Final = (
    *("id", "title", "url", "summary", "section", "source", "author", "image_url", "tags"),
    *("priority", "published_at", "first_seen_at", "edited_at", "expires_at", "withdrawn_at"),
)

app = command_group(
    "articles",
    "List, add and edit articles; pin, drop or withdraw them.",
    example="digest articles list ferry --since 2026-03-01",
)


@app.command(cls=Command)
def add(
    context: typer.Context,
    title: Annotated[str, argument("The headline.", metavar="TITLE")],
    url: Annotated[str, argument("The article's address on the web.", metavar="URL")],
    *,
    summary: Annotated[str | None, option("One or two sentences on what it says.")] = None,
    section: Annotated[str | None, option("Its section.")] = None,
    author: Annotated[str | None, option("Its author.")] = None,
    source: Annotated[str | None, option("Its publisher (default: the site's name).")] = None,
    image: Annotated[
        str | None, option("The URL of an image, or a path relative to digest.toml.")
    ] = None,
    tags: Annotated[
        list[str] | None, option("Separated by commas; may be repeated.", metavar="TAG,…")
    ] = None,
    priority: Annotated[
        int | None, option("Articles with a higher number come first (default: 0).")
    ] = None,
    published: Annotated[
        str | None, option("Publication time (default: now).", metavar="TIME")
    ] = None,
    expires: Annotated[
        str | None, option("From this time on, no edition uses it.", metavar="TIME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add one article by hand, or correct the one that has this URL.

    A correction changes the title and what the options give; an empty value clears a field.

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
    values = {field: text for field, text in fields.items() if text is not None}
    now = datetime.now(UTC)
    with writing(context) as db:
        stored = upsert_manual(db, values, site=settings.site, folder=settings.folder, now=now)
    if isinstance(stored, RejectedRow):
        raise UsageError(f"the article cannot be added: {stored.reason}", hint=stored.hint or None)
    article = stored.article
    print_result(
        {"result": stored.result, "article": article_json(article)},
        f"article {article.id} {stored.result}: {article.title}",
        as_json=as_json,
    )
    if article.withdrawn_at:
        note(f"it is withdrawn; `digest articles restore {article.id}` undoes that")


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    text: Annotated[
        str | None, argument("Text in the title or the summary.", metavar="TEXT")
    ] = None,
    *,
    section: Annotated[str | None, option("Only articles of this section.")] = None,
    source: Annotated[str | None, option("Only articles from this source.")] = None,
    since: Annotated[
        str | None, option("Only articles published since this time.", metavar="TIME")
    ] = None,
    limit: Limit = 30,
    as_json: AsJson = False,
) -> None:
    """List articles, newest first.

    Example: `digest articles list ferry --section Town --since 2026-03-01`
    """
    zone = session_of(context).settings.site.timezone
    # One more than is shown: it tells whether there are more.
    most = min(limit, LARGEST - 1) + 1 if limit else -1
    with reading(context) as db:
        rows = articles.search(
            db, text=text, section=section, source=source, since=_since(since, zone), most=most
        )
    shown = rows[: limit or None]
    if as_json:
        print_json([article_json(article) for article in shown])
        return
    if not shown:
        note("no article matches")
        return
    _show_list(shown, zone)
    if len(rows) > len(shown):
        note(f"these are the newest {limit:,}; --limit 0 lists all")


@app.command(cls=Command)
def show(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Show one article, and what each newsletter did with it.

    Example: `digest articles show 12`
    """
    with reading(context) as db:
        article = articles.existing(db, number)
        decisions = articles.article_decisions(db, number)
    if as_json:
        newsletters = [_decision_json(decision) for decision in decisions]
        print_json(article_json(article) | {"newsletters": newsletters})
        return
    _show_one(article, decisions, session_of(context).settings.site.timezone)


@app.command(cls=Command)
def pin(
    context: typer.Context,
    number: ArticleNumber,
    *,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Put an article into the next edition, before all others. Undoes `drop`.

    Example: `digest articles pin 12`
    """
    key = key_of(context, newsletter)
    with writing(context) as db:
        article = articles.pin(db, key, number, datetime.now(UTC))
    _report("pinned", article, newsletter=key, as_json=as_json)


@app.command(cls=Command)
def unpin(
    context: typer.Context,
    number: ArticleNumber,
    *,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Undo `pin`.

    Example: `digest articles unpin 12`
    """
    key = key_of(context, newsletter)
    with writing(context) as db:
        article = articles.existing(db, number)
        was_pinned = articles.unpin(db, key, number)
    result = "no longer pinned" if was_pinned else "was not pinned"
    _report(result, article, newsletter=key, as_json=as_json)


@app.command(cls=Command)
def drop(
    context: typer.Context,
    number: ArticleNumber,
    *,
    reason: Annotated[str, option("Stored with the decision.")] = "by the editor",
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Keep an article out of every edition of a newsletter. Undoes `pin`.

    Example: `digest articles drop 12 --reason "an advertisement"`
    """
    key = key_of(context, newsletter)
    with writing(context) as db:
        article = articles.drop(db, key, number, reason=reason, now=datetime.now(UTC))
    _report("dropped", article, newsletter=key, preposition="from", as_json=as_json)


@app.command(cls=Command)
def withdraw(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Withdraw an article from all newsletters. Messages already sent cannot be recalled.

    Example: `digest articles withdraw 12`
    """
    with writing(context) as db:
        article = articles.mark_withdrawn(db, number, datetime.now(UTC))
    _report("withdrawn", article, as_json=as_json)


@app.command(cls=Command)
def restore(context: typer.Context, number: ArticleNumber, *, as_json: AsJson = False) -> None:
    """Undo `withdraw`: editions may use the article again.

    Example: `digest articles restore 12`
    """
    with writing(context) as db:
        article, was_withdrawn = articles.restore(db, number, datetime.now(UTC))
    _report("restored" if was_withdrawn else "was not withdrawn", article, as_json=as_json)


def _report(
    result: str,
    article: Article,
    *,
    newsletter: str | None = None,
    preposition: str = "for",
    as_json: bool,
) -> None:
    shown = {"result": result, "newsletter": newsletter, "article": article_json(article)}
    where = f" {preposition} {newsletter}" if newsletter else ""
    print_result(shown, f"{result}{where}: {article.title}", as_json=as_json)


def article_json(article: Article) -> dict[str, Any]:
    """An article as `--json` shows it."""
    return fields_of(article, *_FIELDS)


def _decision_json(row: ArticleDecision) -> dict[str, Any]:
    """What a newsletter decided about an article, as `--json` shows it."""
    return {
        **fields_of(row, "newsletter", "pinned"),
        "verdict": row.decision and row.decision.verdict,
        "reason": row.decision and row.decision.reason,
        "edition": row.edition,
    }


def _show_list(shown: Sequence[Article], zone: ZoneInfo) -> None:
    rows = (
        (
            str(article.id),
            f"{article.published_at.astimezone(zone):%Y-%m-%d %H:%M}",
            article.section or "·",
            article.source,
            article.title + (" (withdrawn)" if article.withdrawn_at else ""),
        )
        for article in shown
    )
    headers = (">ID", "Published", "Section", "Source", "Title")
    print_table(headers, rows, fold=("Section", "Source", "Title"))


def _show_one(article: Article, decisions: Sequence[ArticleDecision], zone: ZoneInfo) -> None:
    rows = []
    for name, value in article_json(article).items():
        if isinstance(value, datetime):
            value = local(value, zone)
        elif isinstance(value, tuple):
            value = ", ".join(value)
        if value not in (None, ""):
            rows.append((name.replace("_", " "), str(value)))
    rows += [(f"for {row.newsletter}", _decision_in_words(row)) for row in decisions]
    print_table(("", "value"), rows, fold=("value",), show_headers=False)


def _decision_in_words(row: ArticleDecision) -> str:
    parts = ["pinned"] if row.pinned else []
    if row.decision is not None:
        reason = row.decision.reason
        decision = row.decision.verdict.with_reason(reason)
        parts.append(f"in No. {row.edition} ({reason})" if row.edition is not None else decision)
    return "; ".join(parts)


def _since(text: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        return read_date(text, zone) if text else None
    except ValueError as error:
        raise UsageError(
            f"--since: {error}", hint="Such as 2026-03-12 or 2026-03-12T07:00."
        ) from None
