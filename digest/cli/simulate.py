"""`digest simulate`: the editions that these or other rules would have made."""

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from digest.cli.console import print_json
from digest.cli.options import AsJson, NewsletterArgument
from digest.cli.session import instant_of, session_of
from digest.cli.simulate_views import show, sizes
from digest.errors import UsageError
from digest.lib.durations import format_duration, parse_duration
from digest.lib.timestamps import to_text
from digest.model.newsletter import Newsletter, Rules
from digest.model.schedule import Schedule
from digest.schedule.parse import parse_schedule
from digest.scheduler.simulation import SimulatedSlot, Simulation
from digest.scheduler.simulation import simulate as run_simulation

#: As digest.toml has it.
_MOST: Final = 1000

#: Ten years.
_MOST_WEEKS: Final = 520


def simulate(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    weeks: Annotated[
        int,
        typer.Option("--weeks", metavar="N", min=1, max=_MOST_WEEKS, help="How far back to begin."),
    ] = 12,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            "--until",
            metavar="TIME",
            help="Where the weeks end, such as 2026-03-12T07:00; by default now.",
        ),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            "--schedule",
            metavar="TEXT",
            help='Another schedule, such as "fridays at 16:30"; may be repeated.',
        ),
    ] = None,
    min_items: Annotated[
        int | None,
        typer.Option("--min-items", metavar="N", min=1, max=_MOST, help="Another min_items."),
    ] = None,
    max_items: Annotated[
        int | None,
        typer.Option("--max-items", metavar="N", min=1, max=_MOST, help="Another max_items."),
    ] = None,
    max_per_section: Annotated[
        int | None,
        typer.Option(
            "--max-per-section", metavar="N", min=1, max=_MOST, help="Another max_per_section."
        ),
    ] = None,
    max_per_source: Annotated[
        int | None,
        typer.Option(
            "--max-per-source", metavar="N", min=1, max=_MOST, help="Another max_per_source."
        ),
    ] = None,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="SPAN", help="Another max_age, such as 36h or 7d."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the editions that the rules would have made. Writes nothing.

    The options stand for keys of the newsletter in digest.toml; what is not given is as it is
    there. The same code selects as for real editions, slot after slot, and no article is in two.
    It goes by when an article was published, not by when it was first seen, and takes articles as
    they are now. Drafts go out as they are proposed.

    Example: `digest simulate --weeks 12 --schedule "fridays at 16:30" --max-age 7d`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    changed = replace(
        chosen,
        schedule=_schedule(chosen, schedule),
        rules=_rules(
            chosen.rules,
            {
                "min_items": min_items,
                "max_items": max_items,
                "max_per_section": max_per_section,
                "max_per_source": max_per_source,
                "max_age": _span(max_age),
            },
        ),
    )
    until = instant_of(at, settings).replace(microsecond=0)
    begin = until - timedelta(weeks=weeks)
    result = run_simulation(settings, changed, begin=begin, until=until)
    if as_json:
        print_json(_as_json(result))
    else:
        show(result, on_terminal=sys.stdout.isatty())


def _schedule(newsletter: Newsletter, lines: list[str] | None) -> Schedule:
    if not lines:
        if newsletter.schedule is None:
            raise UsageError(
                f"{newsletter.key} has no schedule: it goes out only when you send it",
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


def _rules(rules: Rules, given: dict[str, Any]) -> Rules:
    changes = {name: value for name, value in given.items() if value is not None}
    least = changes.get("min_items", rules.min_items)
    most = changes.get("max_items", rules.max_items)
    if least > most:
        option = "--min-items" if "min_items" in changes else "--max-items"
        raise UsageError(
            f"{option}: found min_items {least} and max_items {most},"
            " expected min_items to be at most max_items"
        )
    return replace(rules, **changes)


def _as_json(result: Simulation) -> dict[str, Any]:
    newsletter, rules = result.newsletter, result.newsletter.rules
    return {
        "newsletter": newsletter.key,
        "begin": to_text(result.begin),
        "until": to_text(result.until),
        "rules": {
            "schedule": list(newsletter.schedule.lines) if newsletter.schedule else [],
            "min_items": rules.min_items,
            "max_items": rules.max_items,
            "max_per_section": rules.max_per_section,
            "max_per_source": rules.max_per_source,
            "max_age": format_duration(rules.max_age),
        },
        "articles": result.articles,
        "decided_before": result.decided_before,
        "slots": [_slot_as_json(one) for one in result.slots],
        "editions": len(result.editions),
        "skipped": len(result.slots) - len(result.editions) - result.days_off,
        "days_off": result.days_off,
        "stories": sizes(result),
        "unsent": [{"why": one.why, "articles": one.articles} for one in result.unsent],
    }


def _slot_as_json(one: SimulatedSlot) -> dict[str, Any]:
    return {
        "slot": one.slot.name,
        "due_at": to_text(one.slot.at),
        "number": one.number,
        "reason": one.reason,
        "lead": one.stories[0].title if one.stories else None,
        "stories": [story.article_id for story in one.stories],
        "sections": [
            {"section": section, "stories": n} for section, n in one.sections.most_common()
        ],
        "waiting": one.waiting,
        "went_too_old": one.went_too_old,
        "duplicates": one.duplicates,
    }
