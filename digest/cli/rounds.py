"""What `send` and `resume` print about a round of delivery."""

from typing import TYPE_CHECKING, Any

import typer

from digest.cli.console import Exit, note, print_error, print_json, say
from digest.lib.formatting import counted

if TYPE_CHECKING:
    from digest.publishing.delivery.report import Report
    from digest.publishing.editions.build import Skipped


def tell_ending() -> None:
    """Somebody pressed Ctrl-C once."""
    note("ending after what is under way; Ctrl-C again ends at once")


def report_round(report: "Report | Skipped", *, as_json: bool) -> None:
    """Print how an edition stands after a round; exits with the code that says so."""
    from digest.publishing.editions.build import Skipped

    if isinstance(report, Skipped):
        if as_json:
            print_json({"result": "skipped", "reason": report.reason})
        note(f"skipped: {report.reason}")
        raise typer.Exit(Exit.SKIPPED)
    counts = {state.value: n for state, n in report.counts.items() if n}
    if as_json:
        print_json(_as_json(report, counts))
    else:
        listed = ", ".join(f"{n:,} {state}" for state, n in counts.items())
        say(f"No. {report.edition.number} “{report.edition.subject}”: {listed}")
    if report.error is not None:
        print_error(report.error)
    if report.interrupted:
        note("interrupted: what was under way was finished")
    if report.complete:
        return
    if report.later:
        note(f"{counted(report.later, 'reader')} of these wait for their own hour")
    if report.edition.stopped:
        note("it was stopped: `digest resume` goes on with it; nobody gets the edition twice")
    elif any(counts.get(state) for state in ("queued", "deferred")):
        note("`digest send` goes on where this ended; nobody gets the edition twice")
    note("`digest status` lists everybody who does not surely have it")
    raise typer.Exit(Exit.INCOMPLETE)


def _as_json(report: "Report", counts: dict[str, int]) -> dict[str, Any]:
    return {
        "result": "complete" if report.complete else "incomplete",
        "newsletter": report.edition.newsletter,
        "number": report.edition.number,
        "slot": report.edition.slot,
        "subject": report.edition.subject,
        "deliveries": counts,
        "later": report.later,
        "interrupted": report.interrupted,
        "error": report.error.message if report.error else None,
    }
