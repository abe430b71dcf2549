"""`digest plan`: what comes, and what is missing for it."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Final

import typer

from digest.cli.console import note, print_json, say
from digest.cli.options import AsJson, At, newsletter_keys
from digest.cli.session import instant_of, session_of
from digest.cli.tables import print_table
from digest.lib.formatting import counted, local, weekday
from digest.lib.timestamps import to_text
from digest.model.draft import DraftState
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotState
from digest.scheduler.plan import NewsletterPlan, Plan, PlannedSlot
from digest.scheduler.plan import plan as make_plan

#: So many slots of a newsletter are shown; `--json` has all.
_SHOWN: Final = 50

_SILENCE: Final = {"send": "sent", "hold": "held", "skip": "skipped"}

_NOBODY_AT_WORK: Final = (
    "no `digest run` is at work: slots are seen to while one is, or by `digest run --once`"
)


def plan(
    context: typer.Context,
    newsletters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NEWSLETTER",
            help="Their keys in digest.toml; all of them if none is named.",
            autocompletion=newsletter_keys,
        ),
    ] = None,
    *,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=3660, help="So many days ahead.")
    ] = 7,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the coming slots, and what each of them will send.

    Then how many readers there are, how many stories the next slot would have by now, and what
    is missing. Nothing is written.

    Example: `digest plan --days 14`
    """
    settings = session_of(context).settings
    chosen = [
        settings.newsletter(key) for key in dict.fromkeys(newsletters or settings.newsletters)
    ]
    found = make_plan(settings, chosen, now=instant_of(at, settings), days=days)
    if as_json:
        print_json(_as_json(found))
        return
    for number, one in enumerate(found.newsletters):
        if number:
            say("")
        _show(one)
    if found.service is None and any(one.newsletter.schedule for one in found.newsletters):
        note(_NOBODY_AT_WORK)


def _show(planned: NewsletterPlan) -> None:
    newsletter = planned.newsletter
    when = f": {newsletter.schedule}, {newsletter.timezone.key}" if newsletter.schedule else ""
    say(f"{newsletter.key}{when}")
    rows = [(one.slot.at, _row(one, newsletter)) for one in planned.coming[:_SHOWN]]
    rows += [
        (_midnight(day, newsletter), (f"{weekday(day)} {day}", "·", "day off"))
        for day in planned.days_off
    ]
    rows.sort(key=lambda row: row[0])
    print_table(("Slot", "UTC", "What"), (row for _, row in rows), fold=("What",))
    if len(planned.coming) > _SHOWN:
        note(f"… and {len(planned.coming) - _SHOWN:,} more slots: `--json` has all")
    say(_expectation(planned))
    missing = (("!", sentence) for sentence in planned.missing)
    print_table(("", "missing"), missing, fold=("missing",), show_headers=False)


def _expectation(planned: NewsletterPlan) -> str:
    readers = counted(planned.readers, "reader")
    if planned.stories is None:
        return readers
    least = planned.newsletter.rules.min_items
    needed = f" (min_items is {least})" if least > 1 else ""
    stories = counted(planned.stories, "story", "stories")
    return f"{readers}, {stories} for the next edition by now{needed}"


def _row(one: PlannedSlot, newsletter: Newsletter) -> tuple[str, str, str]:
    zone = newsletter.timezone
    when = f"{weekday(one.slot.at.astimezone(zone))} {local(one.slot.at, zone)}"
    return (when, _utc(one.slot.at), _what(one, newsletter))


def _what(one: PlannedSlot, newsletter: Newsletter) -> str:
    """What a slot will have, in words."""
    record = one.record
    if record is not None and record.state is not SlotState.DRAFT:
        if record.reason and record.reason.startswith(record.state):
            return record.reason
        reason = f": {record.reason}" if record.reason else ""
        return f"{record.state}{reason}"
    parts = [_hand(one, newsletter)]
    if one.first != one.last:
        parts.append(f"readers from {_utc(one.first)} to {_utc(one.last)}")
    return "; ".join(parts)


def _hand(one: PlannedSlot, newsletter: Newsletter) -> str:
    """What the editor has decided, or is to decide."""
    draft, timing = one.draft, newsletter.timing
    silence = f"without a decision it is {_SILENCE[timing.on_silence.value]}"
    if draft is None:
        if one.draft_at is None:
            return "an edition"
        hour = one.draft_at.astimezone(newsletter.timezone)
        return f"a draft at {hour:%H:%M %Z} for approval; {silence}"
    match draft.state:
        case DraftState.APPROVED:
            return "the approved draft"
        case DraftState.HELD:
            return "held by the editor; `digest approve` lets it out"
        case DraftState.WAITING:
            return f"a draft waits for approval; {silence}" if timing.approval else "a draft"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def _midnight(day: date, newsletter: Newsletter) -> datetime:
    return datetime.combine(day, time(), newsletter.timezone).astimezone(UTC)


def _as_json(found: Plan) -> dict[str, Any]:
    return {
        "service": str(found.service) if found.service else None,
        "newsletters": [
            {
                "newsletter": one.newsletter.key,
                "schedule": list(one.newsletter.schedule.lines) if one.newsletter.schedule else [],
                "timezone": one.newsletter.timezone.key,
                "slots": [_slot_as_json(slot, one.newsletter) for slot in one.coming],
                "days_off": [day.isoformat() for day in one.days_off],
                "readers": one.readers,
                "stories": one.stories,
                "missing": list(one.missing),
            }
            for one in found.newsletters
        ],
    }


def _slot_as_json(one: PlannedSlot, newsletter: Newsletter) -> dict[str, Any]:
    return {
        "slot": one.slot.name,
        "local": one.slot.at.astimezone(newsletter.timezone).isoformat(timespec="minutes"),
        "at": to_text(one.slot.at),
        "first_reader_at": to_text(one.first),
        "last_reader_at": to_text(one.last),
        "draft_at": to_text(one.draft_at) if one.draft_at else None,
        "state": one.record.state if one.record else None,
        "draft": one.draft.state if one.draft else None,
        "what": _what(one, newsletter),
    }
