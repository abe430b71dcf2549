"""`digest status`: how the editions stand."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from digest.cli.options import LARGEST, AsJson, NewsletterArgument
from digest.cli.output import Exit, counted, note, print_json, say
from digest.cli.session import session_of
from digest.cli.tables import print_table
from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.publishing.status import EditionStatus

#: So many readers and reasons are listed for an edition; `--json` has all.
_SHOWN: Final = 20
_REASONS: Final = 5


def status(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    number: Annotated[
        int | None,
        typer.Option(
            "--number", metavar="N", min=1, max=LARGEST, help="Only the edition of this number."
        ),
    ] = None,
    as_json: AsJson = False,
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
    if not all(entry.complete for entry in found):
        raise typer.Exit(Exit.INCOMPLETE)


def _show(found: tuple["EditionStatus", ...]) -> None:
    headers = ("Edition", "Slot", "State", "Readers", "Subject")
    print_table(headers, map(_row, found), fold=("Readers", "Subject"))
    for entry in found:
        if entry.unfinished:
            _show_unfinished(entry)


def _row(entry: "EditionStatus") -> tuple[str, ...]:
    edition = entry.edition
    counts = ", ".join(f"{n:,} {state}" for state, n in entry.counts.items() if n)
    state = f"{edition.state}, stopped" if edition.stopped else str(edition.state)
    return (f"No. {edition.number}", edition.slot, state, counts, edition.subject)


def _show_unfinished(entry: "EditionStatus") -> None:
    people = entry.unfinished
    say(f"\nNo. {entry.edition.number}: not surely with {counted(len(people), 'reader')}")
    if len(people) > _SHOWN:
        reasons = Counter((one.state.value, one.reply) for one in people).most_common()
        for (state, reply), count in reasons[:_REASONS]:
            say(f"  {count:,} {state}{': ' if reply else ''}{reply}")
        if len(reasons) > _REASONS:
            say(f"  … and {len(reasons) - _REASONS:,} other reasons")
    rows = ((one.email, one.state, one.reply or "·") for one in people[:_SHOWN])
    print_table(("Reader", "State", "Why"), rows, fold=("Why",))
    if len(people) > _SHOWN:
        note(f"… and {len(people) - _SHOWN:,} more: `--json` has all")


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
