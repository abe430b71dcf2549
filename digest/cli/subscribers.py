"""`digest subscribers`: the list."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.list_access import (
    circumstances,
    for_planning,
    key_of,
    one_of,
    opened,
    reading,
    standings_of,
    whole,
)
from digest.cli.output import Exit, note, print_json, results
from digest.cli.session import session_of

if TYPE_CHECKING:
    from digest.audience.membership import Leaving

app = typer.Typer(
    name="subscribers",
    help="The list: who reads, who left, and who must never be mailed.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Newsletter = Annotated[
    str | None,
    typer.Option("--newsletter", "-n", metavar="KEY", help="Its key; not needed for the only one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Wording = Annotated[
    str | None,
    typer.Option("--consent", metavar="WORDING", help="What was agreed to; kept as a receipt."),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)]


@app.command()
def add(
    context: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Or 'A Name <name@example.com>'.")],
    *,
    name: Annotated[str, typer.Option("--name", show_default=False)] = "",
    language: Annotated[str | None, typer.Option("--language", help="Such as pt-BR.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Such as Europe/Lisbon.")
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option("--topics", metavar="TOPIC", help="Only these; may be given several times."),
    ] = None,
    consent: Wording = None,
    newsletter: Newsletter = None,
    as_json: AsJson = False,
) -> None:
    """Put a reader on the list, active at once: you vouch for the reader's wish.

    Who left comes back only if you say, with --consent, in which words that person asked for it.
    A suppressed address is never added.

    **Example:** `digest subscribers add "Eva Sá <eva@example.com>" --timezone Europe/Lisbon`
    """
    from digest.audience import membership, reader
    from digest.audience.admission import Fate

    split = [topic for given in topics or () for topic in given.split(",")]
    typed = reader.typed(email, name=name, language=language, timezone=timezone, topics=split)
    given = circumstances(key_of(context, newsletter), wording=consent)
    with opened(context) as db:
        fate = membership.add(db, typed, given)
    if as_json:
        print_json({"email": typed.email, "newsletter": given.newsletter, "result": fate})
        return
    said = {Fate.ADDED: "is on the list now", Fate.UPDATED: "was on the list; values updated"}
    result = said.get(fate, "is on the list already, as it is")
    results().print(f"{typed.email} {result} ({given.newsletter})", markup=False)


@app.command("import")
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
    consent: Wording = None,
    newsletter: Newsletter = None,
    as_json: AsJson = False,
) -> None:
    """Add people from a file, or take out those whom it says to have left.

    Columns, by their names: **email**, name (or first_name and last_name), language, timezone,
    topics, state (active, pending, paused, unsubscribed, suppressed), since; any other one is kept
    as a field of the list. A row without a state is active. Nobody who left, paused or is
    suppressed is brought back. All of it is done, or nothing.

    **Example:** `digest subscribers import readers.csv --dry-run`
    """
    from digest.audience import importing, table
    from digest.cli.roster import counting, print_import

    settings = session_of(context).settings
    given = circumstances(key_of(context, newsletter), wording=consent, file=file)
    found = table.read(whole(file), encoding=encoding, delimiter=delimiter)
    listed = importing.read_list(found.rows, now=given.now, zone=settings.site.timezone)
    access = for_planning(context) if dry_run else opened(context)
    with access as db, counting("Importing", len(listed.readers)) as progress:
        report = importing.import_readers(
            db, listed.readers, given, dry_run=dry_run, on_progress=progress
        )
    print_import(listed, report, found.remarks, dry_run=dry_run, as_json=as_json)
    if listed.rejected and not listed.readers:
        raise typer.Exit(Exit.ERROR)


@app.command()
def export(
    context: typer.Context,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file, for you alone.")
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        str, typer.Option("--format", "-f", help="csv or jsonl.")
    ] = "csv",
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="Only these; may be given several times. Default: everybody."),
    ] = None,
    newsletter: Newsletter = None,
) -> None:
    """Write the list as CSV or JSON Lines, which `import` reads back to the same list.

    Those who left and suppressed addresses are in it: that is what keeps them out elsewhere. In
    CSV, a cell that a spreadsheet would run as a formula begins with an apostrophe, which `import`
    takes away again.

    **Example:** `digest subscribers export --out readers.csv`
    """
    from digest.audience.exporting import Format, export_list, to_file
    from digest.storage import suppressions

    form = one_of(Format, "--format", format)
    standings = standings_of(state)
    key = key_of(context, newsletter)
    with reading(context) as db:
        with to_file(out) if out else nullcontext(sys.stdout) as file:
            written = export_list(db, key, standings, form, file)
        erased = suppressions.erased(db)
    if out:
        note(f"wrote {written:,} to {out}")
    if erased:
        note(f"{erased:,} suppressed addresses were erased, and are known by their hashes only")


@app.command("list")
def list_(
    context: typer.Context,
    *,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only these; may be given several times.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many; 0: all.")] = 100,
    newsletter: Newsletter = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on the list, and how many are in each state.

    **Example:** `digest subscribers list --state paused --state unsubscribed`
    """
    from digest.cli.roster import members_as_json, print_members
    from digest.storage import subscriptions

    key = key_of(context, newsletter)
    standings = standings_of(state)
    with reading(context) as db:
        counts = subscriptions.counts(db, key)
        members = list(subscriptions.members(db, key, standings, most=limit or -1))
    if as_json:
        print_json(members_as_json(key, members, counts))
    else:
        print_members(members, counts, among=sum(counts[one] for one in standings))


@app.command()
def show(context: typer.Context, email: Email, *, as_json: AsJson = False) -> None:
    """Show everything that is known about an address: consents and deliveries, too.

    **Example:** `digest subscribers show eva@example.com`
    """
    from digest.audience.address import normalise
    from digest.audience.record import record_of
    from digest.cli.roster import print_record, record_as_json

    with reading(context) as db:
        record = record_of(db, normalise(email))
    if as_json:
        print_json(record_as_json(record))
    else:
        print_record(record)


@app.command()
def unsubscribe(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="Kept as a receipt.")
    ] = "asked the owner of the list",
    newsletter: Newsletter = None,
    as_json: AsJson = False,
) -> None:
    """Let a reader leave a newsletter. No import brings that person back.

    **Example:** `digest subscribers unsubscribe eva@example.com --reason "by phone, 12 March"`
    """
    from digest.audience import membership
    from digest.audience.address import normalise

    given = circumstances(key_of(context, newsletter))
    with opened(context) as db:
        leaving = membership.unsubscribe(db, normalise(email), reason, given)
    _print_leaving(leaving, "unsubscribed", as_json=as_json)


@app.command()
def suppress(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str, typer.Option("--reason", prompt="Why", help="Such as 'asked by letter'.")
    ],
    as_json: AsJson = False,
) -> None:
    """Keep an address from ever being mailed, by any newsletter, on the list or not.

    **Example:** `digest subscribers suppress eva@example.com --reason "asked by letter"`
    """
    from digest.audience import membership
    from digest.audience.address import normalise
    from digest.audience.particulars import one_line
    from digest.errors import UsageError

    clean = one_line(reason)
    if not clean:
        raise UsageError("--reason is empty, expected why this address must never be mailed")
    with opened(context) as db:
        leaving = membership.suppress(db, normalise(email), clean, circumstances(None))
    _print_leaving(leaving, "suppressed", as_json=as_json)


def _print_leaving(leaving: "Leaving", word: str, *, as_json: bool) -> None:
    if as_json:
        result = {"email": leaving.email, "result": word, "already": leaving.already}
        print_json(result)
        return
    state = f"was {word} already; nothing was changed" if leaving.already else f"is {word} now"
    results().print(f"{leaving.email} {state}", markup=False)
