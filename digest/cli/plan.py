"""`digest plan`: the coming slots, and what is missing for them."""

from datetime import UTC, datetime, time
from typing import Annotated, Any, Final

import typer

from digest.cli.console import fields_of, note, print_json, say
from digest.cli.options import AsJson, At, argument, newsletter_keys, option
from digest.cli.session import instant_of, session_of
from digest.cli.tables import print_table
from digest.lib.formatting import counted, local, weekday
from digest.model.draft import DraftState
from digest.model.newsletter import Newsletter
from digest.model.slot import SkippedBy, SlotState
from digest.scheduler.plan import NewsletterPlan, Plan, PlannedSlot
from digest.scheduler.plan import plan as make_plan

#: At most this many slots of a newsletter are shown; `--json` has all.
_SHOWN: Final = 50

_SILENCE: Final = {"send": "sent", "hold": "held", "skip": "skipped"}

_NO_SERVICE: Final = (
    "no `digest run` is running: nothing is sent on schedule until you start it, or run"
    " `digest run --once`"
)


def plan(
    context: typer.Context,
    newsletters: Annotated[
        list[str] | None,
        argument(
            "Keys in digest.toml (default: all newsletters).",
            metavar="NEWSLETTER",
            autocompletion=newsletter_keys,
        ),
    ] = None,
    *,
    days: Annotated[int, option("How many days ahead.", min=1, max=3660)] = 7,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the coming slots, and what each of them will send.

    Times are local and in UTC. For each newsletter it also shows the number of readers, how many
    stories the next edition would have now, and what is missing. Writes nothing.

    Example: `digest plan --days 14`
    """
    settings = session_of(context).settings
    keys = dict.fromkeys(newsletters or settings.newsletters)
    chosen = [settings.newsletter(key) for key in keys]
    plans = make_plan(settings, chosen, now=instant_of(at, settings), days=days)
    if as_json:
        print_json(_plan_json(plans))
        return
    for number, planned in enumerate(plans.newsletters):
        if number:
            say("")
        _show(planned)
    if plans.service is None and any(planned.newsletter.schedule for planned in plans.newsletters):
        note(_NO_SERVICE)


def _show(planned: NewsletterPlan) -> None:
    newsletter = planned.newsletter
    when = f": {newsletter.schedule}, {newsletter.timezone.key}" if newsletter.schedule else ""
    say(f"{newsletter.key}{when}")
    rows = [(slot.slot.at, _row(slot, newsletter)) for slot in planned.coming[:_SHOWN]]
    for day in planned.days_off:
        midnight = datetime.combine(day, time(), newsletter.timezone).astimezone(UTC)
        rows.append((midnight, (f"{weekday(day)} {day}", "·", "day off")))
    rows.sort(key=lambda row: row[0])
    print_table(("Slot", "UTC", "What"), (row for _, row in rows), fold=("What",))
    if len(planned.coming) > _SHOWN:
        note(f"… and {len(planned.coming) - _SHOWN:,} more slots; --json lists all")
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


def _row(slot: PlannedSlot, newsletter: Newsletter) -> tuple[str, str, str]:
    at, zone = slot.slot.at, newsletter.timezone
    when = f"{weekday(at.astimezone(zone))} {local(at, zone)}"
    return (when, _utc(at), _what(slot, newsletter))


def _what(slot: PlannedSlot, newsletter: Newsletter) -> str:
    """What will be sent at a slot, in words."""
    record = slot.record
    if record is not None and record.state is not SlotState.DRAFT:
        if record.skipped_by is SkippedBy.EDITOR:
            return record.reason  # "skipped by the editor", and why
        return ": ".join(filter(None, (record.state, record.reason)))
    when = (
        f"; readers from {_utc(slot.first)} to {_utc(slot.last)}" if slot.first != slot.last else ""
    )
    return _draft_in_words(slot, newsletter) + when


def _draft_in_words(slot: PlannedSlot, newsletter: Newsletter) -> str:
    """What the editor has decided, or still has to."""
    draft, timing = slot.draft, newsletter.timing
    silence = f"if nobody approves it, it is {_SILENCE[timing.on_silence.value]}"
    if draft is None:
        if slot.draft_at is None:
            return "an edition"
        hour = slot.draft_at.astimezone(newsletter.timezone)
        return f"a draft for approval at {hour:%H:%M %Z}; {silence}"
    match draft.state:
        case DraftState.APPROVED:
            return "the approved draft"
        case DraftState.HELD:
            return "held by the editor; `digest approve` releases it"
        case DraftState.WAITING:
            return f"a draft waits for approval; {silence}" if timing.approval else "a draft"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def _plan_json(plans: Plan) -> dict[str, Any]:
    return {
        "service": plans.service,
        "newsletters": [
            {
                "newsletter": planned.newsletter.key,
                "schedule": planned.newsletter.schedule.lines
                if planned.newsletter.schedule
                else [],
                "timezone": planned.newsletter.timezone.key,
                "slots": [_slot_json(slot, planned.newsletter) for slot in planned.coming],
                **fields_of(planned, "days_off", "readers", "stories", "missing"),
            }
            for planned in plans.newsletters
        ],
    }


def _slot_json(planned: PlannedSlot, newsletter: Newsletter) -> dict[str, Any]:
    slot = planned.slot
    return {
        "slot": slot.name,
        "local": slot.at.astimezone(newsletter.timezone).isoformat(timespec="minutes"),
        "at": slot.at,
        "first_reader_at": planned.first,
        "last_reader_at": planned.last,
        "draft_at": planned.draft_at,
        "state": planned.record and planned.record.state,
        "draft": planned.draft and planned.draft.state,
        "what": _what(planned, newsletter),
    }
