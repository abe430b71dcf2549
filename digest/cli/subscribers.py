"""`digest subscribers`: the list.

`digest subscribers import` and `export`: the list from a file, and into one.
"""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from digest.cli.console import Exit, ask, confirm, note, on_a_terminal, print_json, results, say
from digest.cli.files import by_ending, writable
from digest.cli.help import Command, Group
from digest.cli.options import AsJson, Limit, NewsletterOption
from digest.cli.session import reading, session_of, typed_in
from digest.cli.subscriber_options import (
    States,
    Wording,
    circumstances,
    for_planning,
    key_of,
    opened,
    split,
    standings_of,
    titles_of,
    whole,
)
from digest.cli.subscriber_views import (
    counting,
    members_as_json,
    print_import,
    print_members,
    print_record,
    record_as_json,
)
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.storage import subscriptions, suppressions
from digest.subscribers import exporting, import_row, importing, list_file, membership
from digest.subscribers.address import normalise
from digest.subscribers.field_values import one_line
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.membership import LeaveResult, record_of


class FileFormat(StrEnum):
    """What an export is written in, here so that `--help` need not load the list."""

    CSV = "csv"
    JSONL = "jsonl"


_ENDINGS: Final = {".csv": FileFormat.CSV, ".jsonl": FileFormat.JSONL, ".ndjson": FileFormat.JSONL}


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
        FileFormat | None,
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
    if out:
        writable(out)
    form = exporting.ExportFormat(format or _format_of(out))
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


def _format_of(out: Path | None) -> FileFormat:
    # A device or a pipe has no ending.
    if out is None or (out.exists() and not out.is_file()):
        return FileFormat.CSV
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


app = typer.Typer(
    name="subscribers",
    cls=Group,
    help="Manage the list: add, import, export, unsubscribe, suppress.\n\n"
    "Example: `digest subscribers import readers.csv --dry-run`",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address.")]


@app.command(cls=Command)
def add(
    context: typer.Context,
    email: Annotated[
        str, typer.Argument(metavar="EMAIL", help="The address, or `A Name <name@example.com>`.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="The reader's name.")] = "",
    language: Annotated[str | None, typer.Option("--language", help="Such as pt-BR.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Such as Europe/Lisbon.")
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topics",
            metavar="TOPIC,…",
            help="Only these. Commas between them, or given repeatedly.",
        ),
    ] = None,
    consent: Wording = None,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a reader on the list, active at once: you vouch for the reader's wish.

    Who left comes back only if you say, with --consent, in which words that person asked for it.
    A suppressed address is never added.

    Example: `digest subscribers add "Eva Sá <eva@example.com>" --timezone Europe/Lisbon`
    """
    with typed_in():
        typed = import_row.typed(
            email, name=name, language=language, timezone=timezone, topics=split(topics)
        )
    given = circumstances(key_of(context, newsletter), wording=consent)
    with opened(context) as db:
        fate = membership.add(db, typed, given)
    if as_json:
        print_json({"email": typed.email, "newsletter": given.newsletter, "result": fate})
        return
    said = {
        ImportResult.ADDED: "is on the list now",
        ImportResult.UPDATED: "was on the list; values updated",
    }
    result = said.get(fate, "is on the list already, as it is")
    say(f"{typed.email} {result} ({given.newsletter})")


app.command("import", cls=Command)(import_)
app.command(cls=Command)(export)


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    *,
    state: States = None,
    limit: Limit = 100,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on the list, and how many are in each state.

    Example: `digest subscribers list --state paused --state unsubscribed`
    """
    key = key_of(context, newsletter)
    standings = standings_of(state)
    with reading(context) as db:
        counts = subscriptions.counts(db, key)
        members = list(subscriptions.members(db, key, standings, most=limit or -1))
    if as_json:
        print_json(members_as_json(key, members, counts))
    else:
        print_members(members, counts, standings=standings)


@app.command(cls=Command)
def show(context: typer.Context, email: Email, *, as_json: AsJson = False) -> None:
    """Show everything that is known about an address: consents and deliveries, too.

    Example: `digest subscribers show eva@example.com`
    """
    with typed_in():
        address = normalise(email)
    with reading(context) as db:
        record = record_of(db, address)
    if as_json:
        print_json(record_as_json(record))
    else:
        print_record(record)


@app.command(cls=Command)
def unsubscribe(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="Kept as a receipt.")
    ] = "asked the owner of the list",
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Let a reader leave a newsletter. No import brings that person back.

    Example: `digest subscribers unsubscribe eva@example.com --reason "by phone, 12 March"`
    """
    given = circumstances(key_of(context, newsletter))
    with typed_in():
        address = normalise(email)
    with opened(context) as db:
        leaving = membership.unsubscribe(db, address, reason, given)
    _print_leaving(leaving, "unsubscribed", as_json=as_json)


@app.command(cls=Command)
def suppress(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Such as 'asked by letter'. A terminal is asked for it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep an address from ever being mailed, by any newsletter, on the list or not.

    Example: `digest subscribers suppress eva@example.com --reason "asked by letter"`
    """
    with typed_in():
        address = normalise(email)
    if reason is None and on_a_terminal():
        told = ask(f"Why must {address} never be mailed", _why)
    else:
        told = _why(reason or "")
    with opened(context) as db:
        leaving = membership.suppress(db, address, told, circumstances(None))
    _print_leaving(leaving, "suppressed", as_json=as_json)


def _why(reason: str) -> str:
    clean = one_line(reason)
    if not clean:
        raise UsageError(
            "there is no --reason, expected why this address must never be mailed",
            hint="Such as --reason 'asked by letter'; it is kept with the address.",
        )
    return clean


def _print_leaving(leaving: LeaveResult, word: str, *, as_json: bool) -> None:
    if as_json:
        result = {"email": leaving.email, "result": word, "already": leaving.already}
        print_json(result)
        return
    state = f"was {word} already; nothing was changed" if leaving.already else f"is {word} now"
    say(f"{leaving.email} {state}")
