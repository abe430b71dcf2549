"""`digest ingest`: read the configured sources, or the files and URLs named."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from digest.cli.output import (
    Exit,
    messages,
    note,
    plain_table,
    print_error,
    print_json,
    print_table,
)
from digest.cli.session import session_of

if TYPE_CHECKING:
    from digest.ingest.gather import SourceReport

#: How many rejected rows are listed without --all-rejected.
_SHOWN: Final = 20


class Kind(StrEnum):
    """The kinds of sources, here so that the settings need not be loaded for `--help`."""

    FEED = "feed"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    SQLITE = "sqlite"


def ingest(
    context: typer.Context,
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of sources, files or URLs; by default every source.",
        ),
    ] = None,
    *,
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="What it is made of, where its name does not say.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="What to call a file or URL. By default its own name."),
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", help="The table or view, of kind sqlite.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Such as windows-1252.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="Between two fields, of kind csv.")
    ] = None,
    section: Annotated[
        str | None, typer.Option("--section", help="The section of articles that name none.")
    ] = None,
    source_timezone: Annotated[
        str | None,
        typer.Option("--source-timezone", metavar="ZONE", help="Of dates without a zone."),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Read addresses of your own network, too.")
    ] = False,
    all_rejected: Annotated[
        bool, typer.Option("--all-rejected", help="List every rejected row.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Read the sources of digest.toml, or the files and URLs named, and keep their articles.

    Each article is kept once, and later edits are followed. A row that makes no sense is listed
    with its line and reason; the rest goes in. Exits with 1 if a source could not be read.

    Example: `digest ingest headlines.csv https://www.example.com/feed.xml`
    """
    from digest.config import SourceKind
    from digest.ingest.gather import gather
    from digest.ingest.named import Options, sources_named
    from digest.storage.connection import open_database

    settings = session_of(context).settings
    options = Options(
        kind=SourceKind(kind) if kind else None,
        name=name,
        table=table,
        encoding=encoding,
        delimiter=delimiter,
        section=section,
        timezone=source_timezone,
        allow_private=allow_private,
    )
    sources = sources_named(source or (), settings, options)
    with (
        open_database(settings.database) as db,
        messages().status(_reading(len(sources))),
    ):
        reports = gather(db, sources, now=datetime.now(UTC), site_url=settings.site.url)
    if as_json:
        print_json([_as_json(report) for report in reports])
    else:
        _show(reports)
        _show_rejected(reports, most=None if all_rejected else _SHOWN)
    _complain(reports)


def _reading(count: int) -> str:
    return f"reading {count} source{'s' * (count != 1)}…"


def _show(reports: Sequence["SourceReport"]) -> None:
    from rich.markup import escape

    table = plain_table("Source", ">New", ">Edited", ">Unchanged", ">Rejected", "")
    for report in reports:
        if report.error is not None:
            table.add_row(escape(report.source), "·", "·", "·", "·", "not read")
            continue
        counts = (report.new, report.edited, report.unchanged, len(report.rejected))
        table.add_row(
            escape(report.source),
            *(f"{count:,}" for count in counts),
            "nothing new since last time" if report.not_modified else "",
        )
    print_table(table)


def _show_rejected(reports: Sequence["SourceReport"], *, most: int | None) -> None:
    from rich.markup import escape

    rows = [(report.source, row) for report in reports for row in report.rejected]
    if not rows:
        return
    table = plain_table("Source", "Where", "Why", "What", title="\nRejected")
    for source, row in rows[:most]:
        table.add_row(escape(source), row.place, escape(row.reason), escape(row.excerpt))
    print_table(table)
    if most is not None and len(rows) > most:
        note(f"and {len(rows) - most:,} more: --all-rejected or --json lists them all")


def _complain(reports: Sequence["SourceReport"]) -> None:
    """What could not be read, on standard error; it decides the exit code."""
    rejected = sum(len(report.rejected) for report in reports)
    if rejected:
        rows = "one row was" if rejected == 1 else f"{rejected:,} rows were"
        note(f"{rows} rejected; everything else went in")
    failures = [report.error for report in reports if report.error is not None]
    for error in failures:
        print_error(error)
    if failures:
        raise typer.Exit(Exit.ERROR)


def _as_json(report: "SourceReport") -> dict[str, Any]:
    return {
        "source": report.source,
        "new": report.new,
        "edited": report.edited,
        "unchanged": report.unchanged,
        "not_modified": report.not_modified,
        "error": report.error.message if report.error else None,
        "rejected": [
            {"where": row.place, "why": row.reason, "what": row.excerpt} for row in report.rejected
        ],
    }
