"""`digest status`: how the editions stand."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.output import Exit, note, plain_table, print_json, print_table
from digest.cli.session import session_of
from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.publishing.status import EditionStatus


def status(
    context: typer.Context,
    newsletter: Annotated[str | None, typer.Argument(help="Its key in digest.toml.")] = None,
    *,
    number: Annotated[
        int | None, typer.Option("--number", "-n", help="Only the edition of this number.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Show the latest editions, their deliveries, and who does not surely have them.

    Exits with 5 while the newest edition shown is not complete.

    Example: `digest status daily --number 12`
    """
    from digest.publishing.status import status as use_case

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    found = use_case(settings, chosen, number=number)
    if number is not None and not found:
        raise UsageError(f"--number: {chosen.key} has no edition No. {number}")
    if as_json:
        print_json([_as_json(entry) for entry in found])
    elif found:
        _show(found)
    else:
        note(f"{chosen.key} has no edition yet; `digest preview` shows what the first would be")
    if found and not found[0].complete:
        raise typer.Exit(Exit.INCOMPLETE)


def _show(found: tuple["EditionStatus", ...]) -> None:
    from rich.markup import escape

    shown = ("sent", "queued", "sending", "deferred", "rejected", "unknown", "withheld")
    table = plain_table(">No.", "Slot", "State", *(f">{name}" for name in shown), "Subject")
    for entry in found:
        counts = {state.value: n for state, n in entry.counts.items()}
        edition = entry.edition
        numbers = (f"{counts[name]:,}" if counts[name] else "·" for name in shown)
        table.add_row(
            str(edition.number), edition.slot, edition.state, *numbers, escape(edition.subject)
        )
    print_table(table)
    for entry in found:
        if entry.unfinished:
            _show_unfinished(entry)


def _show_unfinished(entry: "EditionStatus") -> None:
    from rich.markup import escape

    table = plain_table(
        "Reader", "State", "Why", title=f"\nNo. {entry.edition.number}: not surely with"
    )
    for reader in entry.unfinished:
        table.add_row(escape(reader.email), reader.state, escape(reader.reply) or "·")
    print_table(table)


def _as_json(entry: "EditionStatus") -> dict[str, Any]:
    edition = entry.edition
    return {
        "newsletter": edition.newsletter,
        "number": edition.number,
        "slot": edition.slot,
        "state": edition.state,
        "subject": edition.subject,
        "stories": len(edition.stories),
        "deliveries": {state.value: n for state, n in entry.counts.items()},
        "unfinished": [
            {"email": reader.email, "state": reader.state, "why": reader.reply}
            for reader in entry.unfinished
        ],
    }
