"""`digest simulate`: the editions that these or other rules would have made."""

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from digest.cli.console import fields_of, print_json
from digest.cli.options import AsJson, NewsletterArgument, option
from digest.cli.session import instant_of, session_of
from digest.cli.simulate_views import LIMITS, counts_by_section, show, sizes
from digest.errors import UsageError
from digest.lib.durations import format_duration, parse_duration
from digest.model.newsletter import Newsletter, Rules
from digest.model.schedule import Schedule
from digest.schedule.parse import parse_schedule
from digest.scheduler.simulation import SimulatedSlot, Simulation
from digest.scheduler.simulation import simulate as run_simulation

#: The largest value in digest.toml.
_MOST: Final = 1000

#: Ten years.
_MOST_WEEKS: Final = 520


def _rule(key: str) -> Any:
    """The option that replaces a key of the newsletter in digest.toml."""
    return option(f"{key} to use instead.", min=1, max=_MOST)


def simulate(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    weeks: Annotated[int, option("How many weeks to simulate.", min=1, max=_MOST_WEEKS)] = 12,
    at: Annotated[
        str | None,
        option(
            "The end of the simulated time, such as 2026-03-12T07:00 (default: now).",
            "--at",
            "--until",
            metavar="TIME",
        ),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        option(
            'Schedule to use instead, such as "fridays at 16:30"; may be repeated.', metavar="TEXT"
        ),
    ] = None,
    min_items: Annotated[int | None, _rule("min_items")] = None,
    max_items: Annotated[int | None, _rule("max_items")] = None,
    max_per_section: Annotated[int | None, _rule("max_per_section")] = None,
    max_per_source: Annotated[int | None, _rule("max_per_source")] = None,
    max_age: Annotated[
        str | None, option("max_age to use instead, such as 36h or 7d.", metavar="SPAN")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the editions that the rules would have made. Writes nothing.

    Rules come from digest.toml, unless an option replaces them. The code that selects for real
    editions is run for one slot after the other, on the stored articles as they are now; the time
    of publication counts, not the time when digest first read them. Drafts are taken as proposed,
    without an editor's changes.

    Example: `digest simulate --weeks 12 --schedule "fridays at 16:30" --max-age 7d`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    changed = replace(
        chosen,
        schedule=_schedule(chosen, schedule),
        rules=_rules(
            chosen.rules,
            min_items=min_items,
            max_items=max_items,
            max_per_section=max_per_section,
            max_per_source=max_per_source,
            max_age=_span(max_age),
        ),
    )
    until = instant_of(at, settings).replace(microsecond=0)
    begin = until - timedelta(weeks=weeks)
    result = run_simulation(settings, changed, begin=begin, until=until)
    if as_json:
        print_json(_simulation_json(result))
    else:
        show(result, on_terminal=sys.stdout.isatty())


def _schedule(newsletter: Newsletter, lines: list[str] | None) -> Schedule:
    if not lines:
        if newsletter.schedule is None:
            raise UsageError(
                f"{newsletter.key} has no schedule: it is sent by hand only",
                hint=f'Try one: `digest simulate {newsletter.key} --schedule "weekdays at 07:00"`.',
            )
        return newsletter.schedule
    days_off = newsletter.schedule.days_off if newsletter.schedule else ()
    try:
        return parse_schedule(lines, days_off)
    except ValueError as error:
        raise UsageError(f"--schedule: {error}") from None


def _span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        span = parse_duration(text)
    except ValueError:
        span = timedelta()
    if span < timedelta(minutes=1):
        raise UsageError(
            f"--max-age: found {text!r}, expected a span of time from 1m up, such as 36h or 7d"
        )
    return span


def _rules(rules: Rules, **values: Any) -> Rules:
    """The rules with these values, where they are not None. Raises UsageError."""
    changes = {name: value for name, value in values.items() if value is not None}
    least = changes.get("min_items", rules.min_items)
    most = changes.get("max_items", rules.max_items)
    if least > most:
        option = "--min-items" if "min_items" in changes else "--max-items"
        raise UsageError(
            f"{option}: found min_items {least} and max_items {most},"
            " expected min_items to be at most max_items"
        )
    return replace(rules, **changes)


def _simulation_json(result: Simulation) -> dict[str, Any]:
    newsletter, rules = result.newsletter, result.newsletter.rules
    return {
        "newsletter": newsletter.key,
        **fields_of(result, "begin", "until"),
        "rules": {
            "schedule": newsletter.schedule.lines if newsletter.schedule else [],
            **fields_of(rules, *LIMITS),
            "max_age": format_duration(rules.max_age),
        },
        **fields_of(result, "articles", "decided_before"),
        "slots": [_slot_json(simulated) for simulated in result.slots],
        "editions": len(result.editions),
        "skipped": len(result.slots) - len(result.editions) - result.days_off,
        "days_off": result.days_off,
        "stories": sizes(result),
        "unsent": result.unsent,
    }


def _slot_json(simulated: SimulatedSlot) -> dict[str, Any]:
    return {
        "slot": simulated.slot.name,
        "due_at": simulated.slot.at,
        **fields_of(simulated, "number", "reason"),
        "lead": simulated.stories[0].title if simulated.stories else None,
        "stories": [story.article_id for story in simulated.stories],
        "sections": counts_by_section(simulated.sections),
        **fields_of(simulated, "waiting", "went_too_old", "duplicates"),
    }
