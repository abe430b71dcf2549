"""What concerns several keys of a newsletter that say when, in the raw tables."""

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any, Final

from digest.config import key_paths
from digest.config.timing_kinds import quiet_hours, schedule
from digest.errors import Problem
from digest.lib.durations import format_duration, parse_duration
from digest.model.schedule import Timing
from digest.schedule.parse import shortest_distance

#: What is of no use without a schedule, and what without a draft.
_OF_A_SCHEDULE: Final = (
    *("days_off", "catch_up", "max_lateness", "deliver_at", "quiet_hours"),
    *("approval", "lead_time", "on_silence"),
)
_OF_A_DRAFT: Final = ("lead_time", "on_silence")
_LEAD_TIME: Final = Timing().lead_time.total_seconds()


def check_timing(path: key_paths.Path, newsletter: Mapping[str, Any]) -> Iterator[Problem]:
    """Every problem between the keys of a newsletter that say when."""
    about_it = [key for key in _OF_A_SCHEDULE if key in newsletter]
    if "schedule" not in newsletter:
        if about_it:
            yield Problem(
                path=key_paths.dotted((*path, "schedule")),
                found=f"nothing, beside {', '.join(about_it)}",
                expected='a schedule such as "weekdays at 07:00", or none of these keys',
            )
        return
    approval = newsletter.get("approval", "none")
    about_drafts = [key for key in _OF_A_DRAFT if key in newsletter]
    if approval == "none" and about_drafts:
        yield Problem(
            path=key_paths.dotted((*path, "approval")),
            found=f"none, beside {' and '.join(about_drafts)}",
            expected='approval = "required", or none of these keys',
        )
    if approval == "required":
        yield from _draft(path, newsletter)
    if "quiet_hours" in newsletter:
        yield from _quiet(path, newsletter)


def _draft(path: key_paths.Path, newsletter: Mapping[str, Any]) -> Iterator[Problem]:
    """There is one draft of a newsletter at a time."""
    try:
        lead = parse_duration(newsletter.get("lead_time", _LEAD_TIME))
        distance = shortest_distance(schedule(newsletter["schedule"]), lead)
    except ValueError:  # the schema says so
        return
    if distance < lead:
        yield Problem(
            path=key_paths.dotted((*path, "lead_time")),
            found=f"{format_duration(lead)}, with editions only {format_duration(distance)} apart",
            expected=f"at most {format_duration(distance)}: one draft follows the other",
        )


def _quiet(path: key_paths.Path, newsletter: Mapping[str, Any]) -> Iterator[Problem]:
    """Quiet hours put messages off. That they do so with all of them is not what was meant."""
    try:
        hours = quiet_hours(newsletter["quiet_hours"])
        times = schedule(newsletter["schedule"]).times
    except ValueError:  # the schema says so
        return
    if all(moment in hours for moment in times):
        yield Problem(
            path=key_paths.dotted((*path, "quiet_hours")),
            found=f"{newsletter['quiet_hours']!r}, with every edition in them ({_listed(times)})",
            expected="hours that leave out at least one time of the schedule",
        )


def _listed(times: tuple[time, ...]) -> str:
    shown = [f"{moment:%H:%M}" for moment in times]
    return ", ".join(shown[:3]) + (", …" if len(shown) > 3 else "")
