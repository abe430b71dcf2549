"""How `digest simulate` shows its result: the rules, the slots, bars, and a summary."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Any, Final

from digest.cli.console import fields_of, note, say
from digest.cli.tables import print_bars, print_table
from digest.lib.durations import format_duration
from digest.lib.formatting import counted, weekday
from digest.scheduler.simulation import SimulatedSlot, Simulation

#: The rules that are numbers.
LIMITS: Final = ("min_items", "max_items", "max_per_section", "max_per_source")

#: More slots than this are grouped by week on a terminal, and their bars everywhere.
_MANY: Final = 31

#: The width of bars in a pipe.
_PIPE: Final = 80

#: At most this many reasons and sections are listed.
_REASONS: Final = 10


def show(result: Simulation, *, on_terminal: bool) -> None:
    """Print the result; on a terminal, many slots are grouped by week."""
    say(_heading(result))
    if not result.slots:
        note(f"{result.newsletter.key} has no slot in this time; try a larger --weeks")
        return
    many = len(result.slots) > _MANY
    say("")
    if on_terminal and many:
        _print_weeks(result)
    else:
        _print_slots(result)
    if result.editions:
        say(f"\nStories of each {'week' if many else 'edition'}:")
        bars = _bars_by_week(result) if many else _bars_by_edition(result)
        print_bars(bars, width=shutil.get_terminal_size().columns if on_terminal else _PIPE)
    say("")
    _print_summary(result)
    if not result.articles:
        note("no article was published in this time; `--until TIME` simulates another")
    if on_terminal and many:
        note("to see each slot, write the output to a file or use --json", style="dim")


def sizes(result: Simulation) -> dict[str, Any]:
    """How many stories the editions have: the median and such are None without an edition."""
    stories = [len(edition.stories) for edition in result.editions]
    sections: Counter[str | None] = sum((one.sections for one in result.editions), Counter())
    return {
        "total": sum(stories),
        "median": median(stories) if stories else None,
        "least": min(stories, default=None),
        "most": max(stories, default=None),
        "sections": counts_by_section(sections),
    }


def counts_by_section(sections: Counter[str | None]) -> list[dict[str, Any]]:
    """How many stories each section has, the largest first, as `--json` shows it."""
    return [{"section": section, "stories": n} for section, n in sections.most_common()]


def _heading(result: Simulation) -> str:
    newsletter, rules = result.newsletter, result.newsletter.rules
    limits = fields_of(rules, *LIMITS).items()
    used = [
        f"{newsletter.schedule}",
        *(f"{name} {limit}" for name, limit in limits if limit is not None),
        f"max_age {format_duration(rules.max_age)}",
    ]
    begin, until = (_local(instant, result) for instant in (result.begin, result.until))
    before = result.decided_before
    had = f" ({before:,} more were decided by earlier editions)" if before else ""
    return (
        f"{newsletter.key}: {', '.join(used)}; {begin} to {until} ({newsletter.timezone.key});"
        f" {counted(result.articles, 'article')}{had}"
    )


def _local(instant: datetime, result: Simulation) -> str:
    return f"{instant.astimezone(result.newsletter.timezone):%Y-%m-%d %H:%M}"


def _print_slots(result: Simulation) -> None:
    # Slots without an edition are one row as long as they have the same reason.
    runs = groupby(result.slots, key=lambda slot: (slot.number, slot.reason, slot.waiting))
    rows = [
        (
            _name(first),
            f"{first.number}" if first.number else "·",
            f"{len(first.stories):,}" if first.stories else "·",
            f"{first.waiting:,}",
            first.stories[0].title if first.stories else f"– {_reason(first, others)}",
        )
        for _, (first, *others) in runs
    ]
    headers = ("Slot", ">No.", ">Stories", ">Waiting", "Lead, or – the reason for none")
    print_table(headers, rows, fold=(headers[-1],))


def _reason(first: SimulatedSlot, others: Sequence[SimulatedSlot]) -> str:
    if not others:
        return first.reason
    more = counted(len(others), "more slot")
    return f"{first.reason} (the same for {more}, until {_name(others[-1])})"


def _name(simulated: SimulatedSlot) -> str:
    wall = simulated.slot.wall
    return f"{weekday(wall)} {wall:%Y-%m-%d %H:%M}"


def _print_weeks(result: Simulation) -> None:
    rows = []
    for _, run in groupby(_weeks(result), key=_week_group):
        (monday, _), *_ = weeks = list(run)
        slots = [slot for _, of_week in weeks for slot in of_week]
        editions = [slot for slot in slots if slot.stories]
        why = _most_common_reason(slots)
        rows.append(
            (
                f"{monday:%Y-%m-%d}",
                f"{len(editions):,}",
                f"{len(slots) - len(editions):,}",
                f"{sum(len(slot.stories) for slot in editions):,}",
                f"{slots[-1].waiting:,}",
                f"{why} ({len(weeks)} weeks)" if len(weeks) > 1 else why,
            )
        )
    headers = ("Week of", ">Editions", ">Without", ">Stories", ">Waiting", "Most frequent reason")
    print_table(headers, rows, fold=(headers[-1],))


def _week_group(week: tuple[date, Sequence[SimulatedSlot]]) -> tuple[date | None, str]:
    """Weeks without any edition are one row as long as they have the same reason."""
    monday, slots = week
    any_edition = any(slot.stories for slot in slots)
    return (monday if any_edition else None, _most_common_reason(slots))


def _most_common_reason(slots: Sequence[SimulatedSlot]) -> str:
    reasons = Counter(slot.reason for slot in slots if slot.reason)
    return reasons.most_common(1)[0][0] if reasons else ""


def _weeks(result: Simulation) -> Iterator[tuple[date, Sequence[SimulatedSlot]]]:
    def monday(simulated: SimulatedSlot) -> date:
        day = simulated.slot.wall.date()
        return day - timedelta(days=day.weekday())

    for day, slots in groupby(result.slots, key=monday):
        yield day, tuple(slots)


def _bars_by_edition(result: Simulation) -> Iterator[tuple[str, int]]:
    return ((_name(edition), len(edition.stories)) for edition in result.editions)


def _bars_by_week(result: Simulation) -> Iterator[tuple[str, int]]:
    for monday, slots in _weeks(result):
        yield f"{monday:%Y-%m-%d}", sum(len(slot.stories) for slot in slots)


def _print_summary(result: Simulation) -> None:
    size = sizes(result)
    skipped = len(result.slots) - len(result.editions) - result.days_off
    off = f", {counted(result.days_off, 'slot')} on a day off" if result.days_off else ""
    say(f"{counted(len(result.editions), 'edition')}, {counted(skipped, 'slot')} skipped{off}")
    if result.editions:
        say(
            f"stories of an edition: median {size['median']:g}, least {size['least']:,},"
            f" most {size['most']:,}"
        )
        _print_sections(size["sections"])
    unsent = sum(group.articles for group in result.unsent)
    articles = "article was" if result.articles == 1 else "articles were"
    say(f"{size['total']:,} of {result.articles:,} {articles} in an edition, {unsent:,} in none")
    rows = [(f"  {group.articles:,}", group.why) for group in result.unsent]
    print_table((">Articles", "Why"), rows[:_REASONS], fold=("Why",), show_headers=False)
    if len(rows) > _REASONS:
        left = sum(group.articles for group in result.unsent[_REASONS:])
        say(f"  … and {left:,} for {counted(len(rows) - _REASONS, 'other reason')}")


def _print_sections(sections: Sequence[dict[str, Any]]) -> None:
    named = [row for row in sections if row["section"]][:_REASONS]
    if not named:
        return
    parts = [f"{row['section']} {row['stories']:,}" for row in named]
    if others := sum(row["stories"] for row in sections if row not in named):
        parts.append(f"others {others:,}")
    say(f"by section: {', '.join(parts)}")
