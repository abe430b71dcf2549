"""`digest subscribers import` and `export`: the list from a file, and into one."""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from digest.cli.asking import confirm, on_a_terminal
from digest.cli.console import Exit, note, results
from digest.cli.files import by_ending, writable
from digest.cli.options import AsJson, NewsletterOption
from digest.cli.session import reading, session_of
from digest.cli.subscriber_options import (
    States,
    Wording,
    circumstances,
    for_planning,
    key_of,
    opened,
    standings_of,
    titles_of,
    whole,
)
from digest.errors import UsageError
from digest.lib.formatting import counted


class Format(StrEnum):
    """What an export is written in, here so that `--help` need not load the list."""

    CSV = "csv"
    JSONL = "jsonl"


_ENDINGS: Final = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}


def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSON or JSON Lines; - is standard input.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="If it is found out wrongly.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", help="If it is not , ; | or a tab.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="OURS=TITLE",
            help="A column of ours that the file calls something else, such as name=Vorname; may be"
            " given several times.",
        ),
    ] = None,
    consent: Wording = None,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Add people from a file, or take out those whom it says to have left.

    Columns, by their names: **email**, name (or first_name and last_name), language, timezone,
    topics, state, since; any other one is kept as a field of the list. States are active, pending,
    paused, unsubscribed and suppressed; of other programs' words, subscribed, confirmed and enabled
    mean active, unconfirmed pending, bounced and cleaned unsubscribed, blocklisted and complained
    suppressed. A row without a state is active. Nobody who left, paused or is
    suppressed is brought back. All of it is done, or nothing.

    Example: `digest subscribers import readers.csv --dry-run`
    """
    from digest.cli.subscriber_views import counting, print_import
    from digest.subscribers import importing, list_file

    settings = session_of(context).settings
    given = circumstances(key_of(context, newsletter), wording=consent, file=file)
    found = list_file.read(
        whole(file),
        name="standard input" if str(file) == "-" else file.name,
        encoding=encoding,
        delimiter=delimiter,
        said=titles_of(column or ()),
    )
    listed = importing.read_list(found.rows, now=given.now, zone=settings.site.timezone)
    access = for_planning(context) if dry_run else opened(context)
    with access as db, counting("Importing", len(listed.readers)) as progress:
        report = importing.import_readers(
            db, listed.readers, given, dry_run=dry_run, on_progress=progress
        )
    print_import(listed, report, found.remarks, dry_run=dry_run, as_json=as_json)
    if listed.rejected and not listed.readers:
        raise typer.Exit(Exit.ERROR)


def export(
    context: typer.Context,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file, for you alone.")
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        Format | None,
        typer.Option("--format", "-f", help="By default as the ending of --out says, or csv."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there already.")
    ] = False,
    state: States = None,
    newsletter: NewsletterOption = None,
) -> None:
    """Write the list as CSV or JSON Lines, which `import` reads back to the same list.

    Those who left and suppressed addresses are in it: that is what keeps them out elsewhere. In
    CSV, a cell that a spreadsheet would run as a formula begins with an apostrophe, which `import`
    takes away again.

    Example: `digest subscribers export --out readers.csv`
    """
    from digest.storage import suppressions
    from digest.subscribers import exporting

    if out:
        writable(out)
    form = exporting.Format(format or _format_of(out))
    standings = standings_of(state)
    key = key_of(context, newsletter)
    with reading(context) as db:
        if out and out.is_file() and not force:
            _ask_to_replace(out)
        with exporting.to_file(out) if out else nullcontext(results()) as file:
            written = exporting.export_list(db, key, standings, form, file)
        erased = suppressions.erased(db)
    if out:
        note(f"wrote {written:,} to {out}")
    if erased:
        were = counted(erased, "suppressed address was", "suppressed addresses were")
        note(f"{were} erased: only hashes of them are kept, and they are not in it")


def _format_of(out: Path | None) -> Format:
    # A device or a pipe has no ending.
    if out is None or (out.exists() and not out.is_file()):
        return Format.CSV
    advice = "Name it .csv or .jsonl, or say --format csv or jsonl."
    return by_ending(out, _ENDINGS, advice=advice)


def _ask_to_replace(out: Path) -> None:
    if not on_a_terminal():
        raise UsageError(
            f"--out: {out} is there already, and nothing was written",
            hint="Name another file, or say --force to write over it.",
        )
    if not confirm(f"{out} is there already. Write over it?"):
        note("nothing was written")
        raise typer.Exit
