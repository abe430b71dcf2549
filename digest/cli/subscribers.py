"""`digest subscribers`: add, import, export and list subscribers, unsubscribe, suppress."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer

from digest.cli.console import (
    Exit,
    ask,
    confirm,
    note,
    on_a_terminal,
    print_json,
    print_result,
    results,
)
from digest.cli.files import by_ending, writable
from digest.cli.help import Command, command_group
from digest.cli.options import AsJson, DryRun, Limit, NewsletterOption, argument, option
from digest.cli.session import as_usage_error, key_of, reading, session_of, typed_address
from digest.cli.subscriber_options import (
    States,
    Wording,
    change_context,
    for_planning,
    opened,
    read_file,
    split,
    statuses_of,
    titles_of,
)
from digest.cli.subscriber_views import (
    import_progress,
    members_json,
    print_import,
    print_members,
    print_record,
    record_json,
)
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.storage import subscriptions, suppressions
from digest.subscribers import exporting, import_row, importing, list_file, membership
from digest.subscribers.exporting import ExportFormat
from digest.subscribers.field_values import one_line
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.membership import LeaveResult, record_of

_ENDINGS: Final = {
    ".csv": ExportFormat.CSV,
    ".jsonl": ExportFormat.JSONL,
    ".ndjson": ExportFormat.JSONL,
}


app = command_group(
    "subscribers",
    "Manage the list: add, import, export, unsubscribe, suppress.",
    example="digest subscribers import readers.csv --dry-run",
)

Email = Annotated[str, argument("The address.", metavar="EMAIL")]


@app.command(cls=Command)
def add(
    context: typer.Context,
    email: Annotated[
        str, argument("The address, or `A Name <name@example.com>`.", metavar="EMAIL")
    ],
    *,
    name: Annotated[str, option("The subscriber's name.")] = "",
    language: Annotated[str | None, option("Language, such as pt-BR.")] = None,
    timezone: Annotated[str | None, option("Time zone, such as Europe/Lisbon.")] = None,
    topics: Annotated[
        list[str] | None,
        option("Only these topics. Separated by commas; may be repeated.", metavar="TOPIC,…"),
    ] = None,
    consent: Wording = None,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Add a subscriber, active at once: you confirm that this person asked for it.

    A person who unsubscribed is added only with --consent and the words of that request. A
    suppressed address is never added.

    Example: `digest subscribers add "Eva Sá <eva@example.com>" --timezone Europe/Lisbon`
    """
    with as_usage_error():
        typed = import_row.typed(
            email, name=name, language=language, timezone=timezone, topics=split(topics)
        )
    key = key_of(context, newsletter)
    with opened(context) as db:
        result = membership.add(db, typed, change_context(key, wording=consent))
    sentences = {
        ImportResult.ADDED: "is on the list now",
        ImportResult.UPDATED: "was on the list; values updated",
    }
    sentence = sentences.get(result, "is on the list already; nothing was changed")
    print_result(
        {"email": typed.email, "newsletter": key, "result": result},
        f"{typed.email} {sentence} ({key})",
        as_json=as_json,
    )


@app.command("import", cls=Command)
def import_(
    context: typer.Context,
    file: Annotated[
        Path, argument("A file in CSV, JSON or JSON Lines; - is standard input.", metavar="FILE")
    ],
    *,
    dry_run: DryRun = False,
    encoding: Annotated[str | None, option("Text encoding, if it is detected wrongly.")] = None,
    delimiter: Annotated[
        str | None, option("The character between fields, if it is not , ; | or a tab.")
    ] = None,
    column: Annotated[
        list[str] | None,
        option(
            "The file's title of a known column, such as name=Vorname; may be repeated.",
            metavar="COLUMN=TITLE",
        ),
    ] = None,
    consent: Wording = None,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Add, update or unsubscribe subscribers from a file.

    Columns: **email**, name (or first_name and last_name), language, timezone, topics, state,
    since; every other column is stored as a field of the subscriber. States are active (the
    default), pending, paused, unsubscribed and suppressed. Other programs' words are understood:
    subscribed, confirmed and enabled mean active; unconfirmed means pending; bounced and cleaned
    mean unsubscribed; blocklisted and complained mean suppressed. Nobody who unsubscribed, paused
    or is suppressed becomes active again. The whole file is imported, or nothing.

    Example: `digest subscribers import readers.csv --dry-run`
    """
    settings = session_of(context).settings
    change = change_context(key_of(context, newsletter), wording=consent, file=file)
    list_rows = list_file.read(
        read_file(file),
        name="standard input" if str(file) == "-" else file.name,
        encoding=encoding,
        delimiter=delimiter,
        titles=titles_of(column or ()),
    )
    listed = importing.read_list(list_rows.rows, now=change.now, zone=settings.site.timezone)
    access = for_planning(context) if dry_run else opened(context)
    with access as db, import_progress(len(listed.readers)) as progress:
        report = importing.import_readers(
            db, listed.readers, change, dry_run=dry_run, on_progress=progress
        )
    print_import(listed, report, list_rows.remarks, dry_run=dry_run, as_json=as_json)
    if listed.rejected and not listed.readers:
        raise typer.Exit(Exit.ERROR)


@app.command(cls=Command)
def export(
    context: typer.Context,
    *,
    out: Annotated[
        Path | None, option("Write to this file, readable by you only.", "--out", "-o")
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        ExportFormat | None,
        option("The format (default: by the ending of --out, or csv).", "--format", "-f"),
    ] = None,
    force: Annotated[bool, option("Overwrite an existing file.", "--force")] = False,
    state: States = None,
    newsletter: NewsletterOption = None,
) -> None:
    """Write the list as CSV or JSON Lines; `import` restores the same list from it.

    It includes unsubscribed and suppressed addresses, so that they stay out wherever the file is
    imported. In CSV, a cell that a spreadsheet would run as a formula begins with an apostrophe,
    which `import` removes.

    Example: `digest subscribers export --out readers.csv`
    """
    if out:
        writable(out)
    form = format or _format_of(out)
    statuses = statuses_of(state)
    key = key_of(context, newsletter)
    with reading(context) as db:
        if out and out.is_file() and not force:
            _ask_to_replace(out)
        with exporting.to_file(out) if out else nullcontext(results()) as file:
            written = exporting.export_list(db, key, statuses, form, file)
        erased = suppressions.count_erased(db)
    if out:
        note(f"wrote {counted(written, 'address', 'addresses')} to {out}")
    if erased:
        were = counted(erased, "suppressed address was", "suppressed addresses were")
        note(f"{were} erased: only their hashes are stored, so they are not in the export")


def _format_of(out: Path | None) -> ExportFormat:
    # A device or a pipe has no ending.
    if out is None or (out.exists() and not out.is_file()):
        return ExportFormat.CSV
    advice = "Use the ending .csv or .jsonl, or give --format csv or jsonl."
    return by_ending(out, _ENDINGS, advice=advice)


def _ask_to_replace(out: Path) -> None:
    if not on_a_terminal():
        raise UsageError(
            f"--out: {out} already exists; nothing was written",
            hint="Name another file, or use --force to overwrite it.",
        )
    if not confirm(f"{out} already exists. Overwrite it?"):
        note("nothing was written")
        raise typer.Exit


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    *,
    state: States = None,
    limit: Limit = 100,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """List subscribers, and how many are in each state.

    Example: `digest subscribers list --state paused --state unsubscribed`
    """
    key = key_of(context, newsletter)
    statuses = statuses_of(state)
    with reading(context) as db:
        counts = subscriptions.counts(db, key)
        members = list(subscriptions.members(db, key, statuses, most=limit or -1))
    if as_json:
        print_json(members_json(key, members, counts))
    else:
        print_members(members, counts, statuses=statuses)


@app.command(cls=Command)
def show(context: typer.Context, email: Email, *, as_json: AsJson = False) -> None:
    """Show everything stored about an address, with consents and deliveries.

    Example: `digest subscribers show eva@example.com`
    """
    address = typed_address(email)
    with reading(context) as db:
        record = record_of(db, address)
    if as_json:
        print_json(record_json(record))
    else:
        print_record(record)


@app.command(cls=Command)
def unsubscribe(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[str, option("Stored as a receipt.")] = "asked the owner of the list",
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Unsubscribe a person from a newsletter. No import makes the subscription active again.

    Example: `digest subscribers unsubscribe eva@example.com --reason "by phone, 12 March"`
    """
    change = change_context(key_of(context, newsletter))
    address = typed_address(email)
    with opened(context) as db:
        leaving = membership.unsubscribe(db, address, reason, change)
    _report(leaving, "unsubscribed", as_json=as_json)


@app.command(cls=Command)
def suppress(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str | None, option("Why, such as 'asked by letter'; asked for on a terminal.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Never send to an address again, from any newsletter, whether it is on the list or not.

    Example: `digest subscribers suppress eva@example.com --reason "asked by letter"`
    """
    address = typed_address(email)
    if reason is None and on_a_terminal():
        why = ask(f"Why must {address} never be mailed", _reason)
    else:
        why = _reason(reason or "")
    with opened(context) as db:
        leaving = membership.suppress(db, address, why, change_context(None))
    _report(leaving, "suppressed", as_json=as_json)


def _reason(reason: str) -> str:
    clean = one_line(reason)
    if not clean:
        raise UsageError(
            "--reason is missing, expected why this address must never be mailed",
            hint="Such as --reason 'asked by letter'; it is stored with the address.",
        )
    return clean


def _report(result: LeaveResult, word: str, *, as_json: bool) -> None:
    state = f"was {word} already; nothing was changed" if result.already else f"is {word} now"
    print_result(
        {"email": result.email, "result": word, "already": result.already},
        f"{result.email} {state}",
        as_json=as_json,
    )
