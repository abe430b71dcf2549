"""`digest ingest`: read the configured sources, or the files and URLs named, into the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from digest.cli.console import Exit, fields_of, note, print_error, print_json, working
from digest.cli.options import AsJson, argument, option, source_names
from digest.cli.session import session_of
from digest.cli.source_args import parse_date_order, parse_delimiter, parse_zone, sources_named
from digest.cli.tables import print_table
from digest.config import SourceKind
from digest.ingest.sources import SourceReport
from digest.lib.formatting import counted
from digest.publishing.maintenance import ingest as read_sources

#: How many rejected rows are listed without --all-rejected.
_SHOWN: Final = 20


def ingest(
    context: typer.Context,
    source: Annotated[
        list[str] | None,
        argument(
            "Names of sources, files or URLs (default: every source).", autocompletion=source_names
        ),
    ] = None,
    *,
    kind: Annotated[
        SourceKind | None, option("Format of a file or URL whose name does not tell it.")
    ] = None,
    name: Annotated[
        str | None, option("Name of the source (default: the file's or host's name).")
    ] = None,
    table: Annotated[str | None, option("For sqlite: the table or view to read.")] = None,
    encoding: Annotated[str | None, option("Text encoding, such as windows-1252.")] = None,
    delimiter: Annotated[str | None, option("For csv: the character between fields.")] = None,
    section: Annotated[str | None, option("Section of articles that have none.")] = None,
    source_timezone: Annotated[
        str | None, option("Time zone of dates that have none.", metavar="ZONE")
    ] = None,
    dates: Annotated[
        str | None, option("How to read 03/04/2026: day-first or month-first.", metavar="ORDER")
    ] = None,
    allow_private: Annotated[
        bool, option("Allow URLs in private networks.", "--allow-private")
    ] = False,
    all_rejected: Annotated[
        bool, option("List all rejected rows, not only the first 20.", "--all-rejected")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read sources, files or URLs, and store their articles.

    Each article is stored once; a changed one is updated. Rows that cannot be used are rejected and
    listed with line and reason. Exits with 1 if a source could not be read or had no usable row.

    Example: `digest ingest headlines.csv https://www.example.com/feed.xml`
    """
    settings = session_of(context).settings
    overrides = {
        "kind": kind,
        "name": name,
        "table": table,
        "encoding": encoding,
        "delimiter": parse_delimiter(delimiter),
        "section": section,
        "timezone": parse_zone(source_timezone),
        "dates": parse_date_order(dates),
        "allow_private": allow_private or None,
    }
    sources = sources_named(source or (), settings, overrides)
    with working(f"Reading {counted(len(sources), 'source')}…"):
        reports = read_sources(settings, sources, now=datetime.now(UTC))
    if as_json:
        print_json([_report_json(report) for report in reports])
    else:
        _show(reports)
        _show_rejected(reports, most=None if all_rejected else _SHOWN)
    _complain(reports)


def _show(reports: Sequence[SourceReport]) -> None:
    headers = ("Source", ">New", ">Edited", ">Unchanged", ">Rejected", "")
    rows: list[tuple[str, ...]] = []
    for report in reports:
        if report.error is not None:
            rows.append((report.source, "·", "·", "·", "·", "not read"))
            continue
        counts = (report.new, report.edited, report.unchanged, len(report.rejected))
        remark = "nothing new since last time" if report.not_modified else ""
        rows.append((report.source, *(f"{count:,}" for count in counts), remark))
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
        note(f"and {len(rows) - most:,} more; --all-rejected or --json lists all")


def _complain(reports: Sequence[SourceReport]) -> None:
    """Report what could not be read or used, on standard error; exits with 1 if a source failed."""
    notes = [(report.source, remark) for report in reports for remark in report.notes]
    for source, remark in notes[:_SHOWN]:
        note(f"{source}{remark.place and f', {remark.place}'}: {remark.text}")
    if len(notes) > _SHOWN:
        note(f"and {len(notes) - _SHOWN:,} more notes; --json lists all")
    rejected = [row for report in reports for row in report.rejected]
    if rejected:
        rows = "one row was" if len(rejected) == 1 else f"{len(rejected):,} rows were"
        stored = any(report.new + report.edited + report.unchanged for report in reports)
        note(f"{rows} rejected; {'all others were' if stored else 'nothing was'} stored")
    for hint in dict.fromkeys(row.hint for row in rejected if row.hint):
        note(f"  → {hint}")
    for report in reports:
        if report.error is not None:
            print_error(report.error)
    if any(report.failed for report in reports):
        raise typer.Exit(Exit.ERROR)


def _report_json(report: SourceReport) -> dict[str, Any]:
    names = ("source", "new", "edited", "unchanged", "not_modified", "error")
    return fields_of(report, *names) | {
        "rejected": [
            {"where": row.place, "why": row.reason, "what": row.excerpt, "hint": row.hint or None}
            for row in report.rejected
        ],
        "notes": [{"where": remark.place or None, "what": remark.text} for remark in report.notes],
    }
