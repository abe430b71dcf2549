"""`digest ingest`: read the configured sources, or the files and URLs named."""

import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from digest.cli.console import Exit, messages, note, print_error, print_json
from digest.cli.options import AsJson, source_names
from digest.cli.session import session_of
from digest.cli.source_args import Options, sources_named
from digest.cli.tables import print_table
from digest.config import SourceKind
from digest.errors import UsageError
from digest.ingest.sources import SourceReport
from digest.lib.formatting import counted
from digest.publishing.maintenance import ingest as read_sources

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
            autocompletion=source_names,
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
    dates: Annotated[
        str | None,
        typer.Option("--dates", metavar="ORDER", help="Of 03/04/2026: day-first or month-first."),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Read addresses of your own network, too.")
    ] = False,
    all_rejected: Annotated[
        bool, typer.Option("--all-rejected", help="List every rejected row.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read sources, files or URLs, and store their articles.

    Each article is kept once, and later edits are followed. A row that makes no sense is listed
    with its line and reason; the rest goes in. Exits with 1 if a source could not be read or
    had no row that could be used.

    Example: `digest ingest headlines.csv https://www.example.com/feed.xml`
    """
    settings = session_of(context).settings
    options = Options(
        kind=SourceKind(kind) if kind else None,
        name=name,
        table=table,
        encoding=encoding,
        delimiter=delimiter,
        section=section,
        timezone=source_timezone,
        dates=dates,
        allow_private=allow_private,
    )
    _refuse_folders(source or (), [one.name for one in settings.sources])
    sources = sources_named(source or (), settings, options)
    with (
        messages().status(f"reading {counted(len(sources), 'source')}…")
        if sys.stderr.isatty()
        else nullcontext()
    ):
        reports = read_sources(settings, sources, now=datetime.now(UTC))
    if as_json:
        print_json([_as_json(report) for report in reports])
    else:
        _show(reports)
        _show_rejected(reports, most=None if all_rejected else _SHOWN)
    _complain(reports)


def _refuse_folders(named: Sequence[str], known: Collection[str]) -> None:
    for name in named:
        if name not in known and Path(name).is_dir():
            raise UsageError(
                f"{name} is a folder, expected a file, a URL or the name of a source",
                hint="Name the files in it.",
            )


def _show(reports: Sequence[SourceReport]) -> None:
    headers = ("Source", ">New", ">Edited", ">Unchanged", ">Rejected", "")
    rows: list[tuple[str, ...]] = []
    for report in reports:
        if report.error is not None:
            rows.append((report.source, "·", "·", "·", "·", "not read"))
            continue
        counts = (report.new, report.edited, report.unchanged, len(report.rejected))
        said = "nothing new since last time" if report.not_modified else ""
        rows.append((report.source, *(f"{count:,}" for count in counts), said))
    print_table(headers, rows)


def _show_rejected(reports: Sequence[SourceReport], *, most: int | None) -> None:
    rows = [
        (report.source, row.place, row.reason, row.excerpt)
        for report in reports
        for row in report.rejected
    ]
    if not rows:
        return
    headers = ("Source", "Where", "Why", "What")
    print_table(headers, rows[:most], fold=("Why", "What"), title="\nRejected")
    if most is not None and len(rows) > most:
        note(f"and {len(rows) - most:,} more: --all-rejected or --json lists them all")


def _complain(reports: Sequence[SourceReport]) -> None:
    """What could not be read or used, on standard error; it decides the exit code."""
    notes = [(report.source, told) for report in reports for told in report.notes]
    for source, told in notes[:_SHOWN]:
        note(f"{source}{told.place and f', {told.place}'}: {told.text}")
    if len(notes) > _SHOWN:
        note(f"and {len(notes) - _SHOWN:,} more notes: --json lists them all")
    rejected = [row for report in reports for row in report.rejected]
    if rejected:
        rows = "one row was" if len(rejected) == 1 else f"{len(rejected):,} rows were"
        went_in = any(report.new + report.edited + report.unchanged for report in reports)
        note(f"{rows} rejected; {'everything else' if went_in else 'nothing'} went in")
    for hint in dict.fromkeys(row.hint for row in rejected if row.hint):
        note(f"  → {hint}")
    for report in reports:
        if report.error is not None:
            print_error(report.error)
    if any(report.failed for report in reports):
        raise typer.Exit(Exit.ERROR)


def _as_json(report: SourceReport) -> dict[str, Any]:
    return {
        "source": report.source,
        "new": report.new,
        "edited": report.edited,
        "unchanged": report.unchanged,
        "not_modified": report.not_modified,
        "error": report.error.message if report.error else None,
        "rejected": [
            {"where": row.place, "why": row.reason, "what": row.excerpt, "hint": row.hint or None}
            for row in report.rejected
        ],
        "notes": [{"where": told.place or None, "what": told.text} for told in report.notes],
    }
