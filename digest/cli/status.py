"""`digest status`: how the editions stand, and what became of the slots."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from digest.cli.console import Exit, note, print_json, say
from digest.cli.options import LARGEST, AsJson, At, NewsletterArgument
from digest.cli.session import instant_of, session_of
from digest.cli.tables import print_table
from digest.errors import UsageError
from digest.lib.formatting import counted, local
from digest.lib.timestamps import to_text
from digest.model.draft import DraftState
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord
from digest.publishing.status import EditionStatus, NewsletterStatus
from digest.publishing.status import status as status_of

#: So many readers of an edition are listed; whoever reads JSON has more patience.
_SHOWN: Final = 20
_IN_JSON: Final = 1000


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
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=0,
            max=LARGEST,
            help="List at most so many readers of an edition; 0: all. By default"
            f" {_SHOWN}, with --json {_IN_JSON:,}.",
        ),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest editions, and who may not have received them.

    While another process sends, it shows how fast and until when. Slots without an edition are
    listed with the reason. Exits with 5 while an edition shown is not complete, and with 4 where
    something goes on only when somebody decides.

    Example: `digest status daily --number 12`
    """
    settings = session_of(context).settings
    chosen = _chosen(context, newsletter, number)
    now = instant_of(at, settings)
    shown = limit if limit is not None else _IN_JSON if as_json else _SHOWN
    found = [status_of(settings, one, number=number, listed=shown or -1, now=now) for one in chosen]
    if number is not None and not found[0].editions:
        raise UsageError(f"--number: {chosen[0].key} has no edition No. {number}")
    if as_json:
        print_json(
            {
                "editions": [_edition_as_json(one) for each in found for one in each.editions],
                "slots": [_slot_as_json(one, each) for each in found for one in each.slots],
            }
        )
    else:
        _show(found)
    if any(each.held for each in found):
        raise typer.Exit(Exit.HELD)
    if not all(each.complete for each in found):
        raise typer.Exit(Exit.INCOMPLETE)


def _chosen(
    context: typer.Context, newsletter: str | None, number: int | None
) -> tuple[Newsletter, ...]:
    settings = session_of(context).settings
    if newsletter is None and number is None:
        return tuple(settings.newsletters.values())
    return (settings.newsletter(newsletter),)


def _show(found: Iterable[NewsletterStatus]) -> None:
    found = list(found)
    several = len(found) > 1
    rows = [
        (each.newsletter.key if several else "", *_row(entry))
        for each in found
        for entry in each.editions
    ]
    if rows:
        headers = ("Newsletter", "Edition", "Slot", "State", "Readers", "Subject")
        print_table(headers, rows, fold=("Readers", "Subject"))
    for each in found:
        for entry in each.editions:
            _show_waiting(entry, each.newsletter)
        for entry in each.editions:
            if entry.unfinished:
                _show_unfinished(entry, each.newsletter)
    without = [(each, slot) for each in found for slot in each.slots]
    if rows and without:
        say("")
    _show_slots(without, several=several)
    for each in found:
        if not each.editions:
            key = each.newsletter.key
            note(f"{key} has no edition yet; `digest preview` shows what the first would be")


def _row(entry: EditionStatus) -> tuple[str, ...]:
    edition = entry.edition
    counts = ", ".join(f"{n:,} {state}" for state, n in entry.counts.items() if n)
    state = f"{edition.state}, stopped" if edition.stopped else str(edition.state)
    return (f"No. {edition.number}", edition.slot, state, counts, edition.subject)


def _show_waiting(entry: EditionStatus, newsletter: Newsletter) -> None:
    """What goes on by itself: what is being sent, and what waits for its hour."""
    tally, name = entry.tally, f"No. {entry.edition.number}"
    if entry.pace is not None:
        until = entry.pace.done_at.astimezone(newsletter.timezone)
        say(f"{name} is being sent: {entry.pace.rate:,.0f} a second, until {until:%H:%M:%S %Z}")
    if tally.next_hour is not None:
        waiting = counted(tally.with_an_hour, "reader waits", "readers wait")
        first = local(tally.next_hour, newsletter.timezone)
        say(f"{name}: {waiting} for their hour, the first {first}")
    if tally.next_try is not None:
        again = local(tally.next_try, newsletter.timezone)
        say(f"{name}: deferred ones are tried again from {again} on")


def _show_unfinished(entry: EditionStatus, newsletter: Newsletter) -> None:
    people, reasons = entry.unfinished, entry.reasons
    say(f"\nNo. {entry.edition.number}: not surely with {counted(entry.missing, 'reader')}")
    if entry.missing > len(people):
        for one in reasons.first:
            say(f"  {one.readers:,} {one.state}{': ' if one.reply else ''}{one.reply}")
        if reasons.different > len(reasons.first):
            say(f"  … and {reasons.different - len(reasons.first):,} other reasons")
    rows = (
        (
            one.email,
            one.state,
            local(one.next_at, newsletter.timezone) if one.next_at else "·",
            one.reply or "·",
        )
        for one in people
    )
    print_table(("Reader", "State", "Not before", "Why"), rows, fold=("Why",))
    if entry.missing > len(people):
        note(f"… and {entry.missing - len(people):,} more; --limit 0 shows all")


def _show_slots(slots: list[tuple[NewsletterStatus, SlotRecord]], *, several: bool) -> None:
    rows = [
        (each.newsletter.key if several else "", slot.slot.name, slot.state, _why(slot, each))
        for each, slot in slots
    ]
    headers = ("Newsletter", "Slot", "State", "Why")
    if rows:
        print_table(headers, rows, fold=("Why",), title="Slots without an edition")


def _why(record: SlotRecord, each: NewsletterStatus) -> str:
    parts = [record.reason] if record.reason else []
    if each.waits_for_somebody(record):
        parts = parts or ["held: `digest draft` shows it, `digest approve` lets it out"]
    elif record.slot.name in each.drafts:
        parts.append(_draft(record, each))
    if record.next_try_at is not None and not each.waits_for_somebody(record):
        parts.append(f"tried again at {local(record.next_try_at, each.newsletter.timezone)}")
    return "; ".join(parts) or "·"


def _draft(record: SlotRecord, each: NewsletterStatus) -> str:
    """What an open draft waits for that nobody holds."""
    approved = each.drafts[record.slot.name] is DraftState.APPROVED
    if each.newsletter.schedule is None:
        return f"{'approved' if approved else 'waits'}: `digest send` sends it"
    if record.slot.at <= each.now:
        return "its hour has come: `digest run` sees to it"
    if approved:
        return "approved, waits for its hour"
    who = "the editor" if each.newsletter.timing.approval else "its hour"
    return f"waits for {who}: `digest draft` shows it"


def _edition_as_json(entry: EditionStatus) -> dict[str, Any]:
    edition, tally = entry.edition, entry.tally
    return {
        "newsletter": edition.newsletter,
        "number": edition.number,
        "slot": edition.slot,
        "state": edition.state,
        "stopped": edition.stopped,
        "subject": edition.subject,
        "stories": len(edition.stories),
        "deliveries": {state.value: n for state, n in entry.counts.items()},
        "waiting_for_their_hour": tally.with_an_hour,
        "next_hour": _text(tally.next_hour),
        "next_try": _text(tally.next_try),
        "per_second": round(entry.pace.rate, 1) if entry.pace else None,
        "done_at": _text(entry.pace.done_at) if entry.pace else None,
        "reasons": [
            {"state": one.state, "why": one.reply, "readers": one.readers}
            for one in entry.reasons.first
        ],
        "unfinished": [
            {
                "email": one.email,
                "state": one.state,
                "why": one.reply,
                "not_before": _text(one.next_at),
            }
            for one in entry.unfinished
        ],
        "unlisted": entry.missing - len(entry.unfinished),
    }


def _slot_as_json(record: SlotRecord, each: NewsletterStatus) -> dict[str, Any]:
    return {
        "newsletter": record.slot.newsletter,
        "slot": record.slot.name,
        "due_at": _text(record.slot.at),
        "state": record.state,
        "reason": record.reason,
        "draft": each.drafts.get(record.slot.name),
        "held": each.waits_for_somebody(record),
        "made_up_in": record.made_up_in,
        "tries": record.tries,
        "next_try_at": _text(record.next_try_at),
    }


def _text(instant: datetime | None) -> str | None:
    return to_text(instant) if instant else None
