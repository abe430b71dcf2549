"""`digest status`: the latest editions and their deliveries, and slots without an edition."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from digest.cli.console import Exit, fields_of, note, print_json, say
from digest.cli.options import LARGEST, AnyNewsletterArgument, AsJson, At, option
from digest.cli.session import instant_of, session_of
from digest.cli.tables import print_table
from digest.errors import UsageError
from digest.lib.formatting import counted, local
from digest.model.draft import DraftState
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord
from digest.publishing.status import EditionStatus, NewsletterStatus
from digest.publishing.status import status as status_of

#: How many readers of an edition are listed by default, as a table and as JSON.
_SHOWN: Final = 20
_IN_JSON: Final = 1000


def status(
    context: typer.Context,
    newsletter: AnyNewsletterArgument = None,
    *,
    number: Annotated[
        int | None,
        option(
            "Only the edition with this number; of several newsletters, name one.",
            min=1,
            max=LARGEST,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=0,
            max=LARGEST,
            help=f"List at most N readers of an edition (0 = all; default: {_SHOWN}, with --json"
            f" {_IN_JSON:,}).",
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest editions, and who may not have received them.

    While another process is sending, it shows the rate and the expected end. Slots without an
    edition are listed with the reason. Exits with 5 if an edition shown is not complete, and with 4
    if something waits for a decision.

    Example: `digest status daily --number 12`
    """
    settings = session_of(context).settings
    every = newsletter is None and number is None
    chosen = settings.newsletters.values() if every else [settings.newsletter(newsletter)]
    now = instant_of(at, settings)
    shown = limit if limit is not None else _IN_JSON if as_json else _SHOWN
    statuses = [
        status_of(settings, each, number=number, listed=shown or -1, now=now) for each in chosen
    ]
    if number is not None and not statuses[0].editions:
        raise UsageError(f"--number: {statuses[0].newsletter.key} has no edition No. {number}")
    if as_json:
        print_json(
            {
                "editions": [_edition_json(entry) for each in statuses for entry in each.editions],
                "slots": [_slot_json(slot, each) for each in statuses for slot in each.slots],
            }
        )
    else:
        _show(statuses)
    if any(each.held for each in statuses):
        raise typer.Exit(Exit.HELD)
    if not all(each.complete for each in statuses):
        raise typer.Exit(Exit.INCOMPLETE)


def _show(statuses: Sequence[NewsletterStatus]) -> None:
    several = len(statuses) > 1
    rows = [
        (each.newsletter.key if several else "", *_row(entry))
        for each in statuses
        for entry in each.editions
    ]
    if rows:
        headers = ("Newsletter", "Edition", "Slot", "State", "Readers", "Subject")
        print_table(headers, rows, fold=("Readers", "Subject"))
    for each in statuses:
        for entry in each.editions:
            _show_waiting(entry, each.newsletter)
        for entry in each.editions:
            if entry.unfinished:
                _show_unfinished(entry, each.newsletter)
    without = [
        (each.newsletter.key if several else "", record.slot.name, record.state, _why(record, each))
        for each in statuses
        for record in each.slots
    ]
    if without:
        if rows:
            say("")
        columns = ("Newsletter", "Slot", "State", "Why")
        print_table(columns, without, fold=("Why",), title="Slots without an edition")
    for each in statuses:
        if not each.editions:
            key = each.newsletter.key
            note(f"{key} has no edition yet; `digest preview` shows what the first would contain")


def _row(entry: EditionStatus) -> tuple[str, ...]:
    edition = entry.edition
    counts = ", ".join(f"{n:,} {state}" for state, n in entry.counts.items() if n)
    state = f"{edition.state}, stopped" if edition.stopped else edition.state
    return (f"No. {edition.number}", edition.slot, state, counts, edition.subject)


def _show_waiting(entry: EditionStatus, newsletter: Newsletter) -> None:
    """What continues by itself: what is being sent, and what waits for its time."""
    tally, name = entry.tally, f"No. {entry.edition.number}"
    if entry.pace is not None:
        until = entry.pace.done_at.astimezone(newsletter.timezone)
        say(f"{name} is being sent: {entry.pace.rate:,.0f} a second, until {until:%H:%M:%S %Z}")
    if tally.next_due_at is not None:
        waiting = counted(tally.not_yet_due, "reader waits", "readers wait")
        first = local(tally.next_due_at, newsletter.timezone)
        say(f"{name}: {waiting} for their own time, the first {first}")
    if tally.next_attempt_at is not None:
        again = local(tally.next_attempt_at, newsletter.timezone)
        say(f"{name}: deferred deliveries are tried again from {again} on")


def _show_unfinished(entry: EditionStatus, newsletter: Newsletter) -> None:
    people, reasons, zone = entry.unfinished, entry.reasons, newsletter.timezone
    say(f"\nNo. {entry.edition.number}: not confirmed for {counted(entry.missing, 'reader')}")
    if entry.missing > len(people):
        for reason in reasons.first:
            say(f"  {reason.readers:,} {reason.state}{reason.reply and f': {reason.reply}'}")
        if reasons.different > len(reasons.first):
            say(f"  … and {reasons.different - len(reasons.first):,} other reasons")
    rows = (
        (row.email, row.state, local(row.next_at, zone) if row.next_at else "·", row.reply or "·")
        for row in people
    )
    print_table(("Reader", "State", "Not before", "Why"), rows, fold=("Why",))
    if entry.missing > len(people):
        note(f"… and {entry.missing - len(people):,} more; --limit 0 lists all")


def _why(record: SlotRecord, each: NewsletterStatus) -> str:
    parts = [record.reason] if record.reason else []
    if each.waits_for_decision(record):
        parts = parts or ["held: `digest draft` shows it, `digest approve` releases it"]
    elif record.slot.name in each.drafts:
        parts.append(_draft(record, each))
    if record.next_try_at is not None and not each.waits_for_decision(record):
        parts.append(f"tried again at {local(record.next_try_at, each.newsletter.timezone)}")
    return "; ".join(parts) or "·"


def _draft(record: SlotRecord, each: NewsletterStatus) -> str:
    """What an open draft waits for, if it is not held."""
    approved = each.drafts[record.slot.name] is DraftState.APPROVED
    if each.newsletter.schedule is None:
        return f"{'approved' if approved else 'waits'}: `digest send` sends it"
    if record.slot.at <= each.now:
        return "due now: `digest run` sends it"
    if approved:
        return "approved, waits for its slot"
    what = "the editor" if each.newsletter.timing.approval else "its slot"
    return f"waits for {what}: `digest draft` shows it"


def _edition_json(entry: EditionStatus) -> dict[str, Any]:
    return {
        **fields_of(entry.edition, "newsletter", "number", "slot", "state", "stopped", "subject"),
        "stories": len(entry.edition.stories),
        "deliveries": entry.counts,
        "waiting_for_their_hour": entry.tally.not_yet_due,
        "next_hour": entry.tally.next_due_at,
        "next_try": entry.tally.next_attempt_at,
        "per_second": entry.pace and round(entry.pace.rate, 1),
        "done_at": entry.pace and entry.pace.done_at,
        "reasons": [
            {"state": reason.state, "why": reason.reply, "readers": reason.readers}
            for reason in entry.reasons.first
        ],
        "unfinished": [
            {"email": row.email, "state": row.state, "why": row.reply, "not_before": row.next_at}
            for row in entry.unfinished
        ],
        "unlisted": entry.missing - len(entry.unfinished),
    }


def _slot_json(record: SlotRecord, each: NewsletterStatus) -> dict[str, Any]:
    return {
        "newsletter": record.slot.newsletter,
        "slot": record.slot.name,
        "due_at": record.slot.at,
        **fields_of(record, "state", "reason"),
        "draft": each.drafts.get(record.slot.name),
        "held": each.waits_for_decision(record),
        **fields_of(record, "made_up_in", "tries", "next_try_at"),
    }
