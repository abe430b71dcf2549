"""What concerns several keys of a table at once, or several tables of one kind.

Each check reads a built table, and beside it which keys are written. Where a key that it asks for
is wrong by itself, the check ends there (see `digest.config.tables`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from functools import partial
from pathlib import PurePath, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from digest.config.problems import shown
from digest.config.schema import (
    ApprovalMode,
    File,
    NewsletterTable,
    SectionTable,
    SmtpTable,
    SourceTable,
)
from digest.config.settings import DkimSettings, DomainLimits, SourceKind
from digest.lib.durations import format_duration
from digest.model.schedule import QuietHours
from digest.schedule.parse import shortest_distance


@dataclass(frozen=True, slots=True)
class Conflict:
    """A problem between keys; its `path` begins at the table that was checked."""

    path: tuple[str | int, ...]
    found: str
    expected: str


Written = Collection[str]
Conflicts = Iterator[Conflict]

#: What [smtp] is for beside [[relays]]: it holds for all of them.
_FOR_ALL_RELAYS: Final = "give_up_after"


def _smtp_beside_relays(file: File, written: Mapping[str, Any]) -> Conflicts:
    if file.relays and isinstance(file.smtp, SmtpTable):
        own = [key for key in written.get("smtp", ()) if key != _FOR_ALL_RELAYS]
        if own:
            yield Conflict(
                ("smtp",),
                f"{', '.join(own)}, beside [[relays]]",
                f"only {_FOR_ALL_RELAYS} there: each relay has keys of its own",
            )


def _names_of_their_own(key: str, file: File, _written: Written) -> Conflicts:
    """The tables of a list, [[relays]] or [[sources]], have different names."""
    places: dict[str, int] = {}
    for place, table in enumerate(getattr(file, key)):
        name = getattr(table, "name", None)
        first = places.setdefault(name.casefold(), place) if name else place
        if first != place:
            yield Conflict(
                (key, place, "name"),
                f"{shown(name)}, the name of {key}[{first}]",
                "a name of its own",
            )


def _some_limit(_limits: DomainLimits, written: Written) -> Conflicts:
    if not written:
        yield Conflict((), "no limit", "connections, messages_per_second, or both")


def _second_dkim_key(_dkim: DkimSettings, written: Written) -> Conflicts:
    pair = ("ed25519_selector", "ed25519_key_file")
    for key, other in (pair, pair[::-1]):
        if other in written and key not in written:
            yield Conflict((key,), "nothing", f"a value, because {other} has one")


def _dkim_selectors(dkim: DkimSettings, _written: Written) -> Conflicts:
    second = dkim.ed25519_selector
    if second and dkim.selector.lower() == second.lower():
        yield Conflict(
            ("ed25519_selector",),
            f"{shown(second)}, the name of the other key",
            "a name of its own",
        )


_KINDS_OF_SUFFIX: Final = {
    **dict.fromkeys((".csv", ".tsv"), SourceKind.CSV),
    ".json": SourceKind.JSON,
    **dict.fromkeys((".jsonl", ".ndjson"), SourceKind.JSONL),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), SourceKind.SQLITE),
    **dict.fromkeys((".xml", ".rss", ".atom"), SourceKind.FEED),
}


def guessed_kind(url: str | None, path: str | PurePath | None) -> SourceKind | None:
    """What kind of source it is by its name: an address is a feed unless it says otherwise."""
    if path is not None:
        return _KINDS_OF_SUFFIX.get(PurePosixPath(path).suffix.lower())
    kind = _KINDS_OF_SUFFIX.get(PurePosixPath(urlsplit(url or "").path).suffix.lower())
    # `feed.json` is a JSON Feed; a database cannot be read over the net.
    return kind if kind in (SourceKind.CSV, SourceKind.JSONL) else SourceKind.FEED


def _url_or_path(_source: SourceTable, written: Written) -> Conflicts:
    if ("url" in written) == ("path" in written):
        yield Conflict(
            (),
            "both url and path" if "url" in written else "neither url nor path",
            "exactly one of them",
        )


_KINDS_WITH: Final = {
    "table": (SourceKind.SQLITE,),
    "delimiter": (SourceKind.CSV,),
    "encoding": (SourceKind.CSV, SourceKind.JSON, SourceKind.JSONL),
    "columns": (SourceKind.SQLITE, SourceKind.CSV, SourceKind.JSON, SourceKind.JSONL),
}


def _kind(source: SourceTable, written: Mapping[str, Any]) -> SourceKind | None:
    if source.kind:
        return source.kind
    if hasattr(source, "url"):
        return guessed_kind(source.url, source.path)
    # The address is wrong by itself, but what it ends in tells all the same.
    return guessed_kind(None, str(written["url"])) or SourceKind.FEED


def _keys_of_the_kind(source: SourceTable, written: Mapping[str, Any]) -> Conflicts:
    """What a source of its kind must have, and must not."""
    if ("url" in written) == ("path" in written):
        return
    kind = _kind(source, written)
    if kind is None:
        name = source.path.name if source.path else ""
        yield Conflict(
            ("kind",),
            f"nothing, and {shown(name)} does not tell",
            "feed, csv, json, jsonl or sqlite",
        )
        return
    if kind is SourceKind.SQLITE and "url" in written:
        yield Conflict(
            ("url",), "an address for kind sqlite", "a path: a database is read from a file"
        )
    if kind is SourceKind.SQLITE and "table" not in written:
        yield Conflict(("table",), "nothing", "the table or view that holds the articles")
    for key, kinds in _KINDS_WITH.items():
        if key in written and kind not in kinds:
            yield Conflict(
                (key,),
                f"{key} for kind {shown(kind.value)}",
                f"{key} only for kind {', '.join(kinds)}",
            )


def _one_sender(_newsletter: NewsletterTable, written: Written) -> Conflicts:
    twice = [key for key in ("sender_name", "sender_address") if key in written]
    if "from" in written and twice:
        yield Conflict(
            ("from",),
            f"{' and '.join(twice)}, too",
            "either from, or sender_name and sender_address",
        )
    if "from" not in written and "sender_address" not in written:
        yield Conflict(("sender_address",), "nothing", "an e-mail address such as news@example.com")


def _least_and_most(newsletter: NewsletterTable, written: Written) -> Conflicts:
    least, most = newsletter.min_items, newsletter.max_items
    if least > most:
        yield Conflict(
            ("min_items" if "min_items" in written else "max_items",),
            f"min_items {least} and max_items {most}",
            "min_items to be at most max_items",
        )


#: What is of no use without a schedule, and what without a draft.
_WITH_A_SCHEDULE: Final = (
    *("days_off", "catch_up", "max_lateness", "deliver_at", "quiet_hours"),
    *("approval", "lead_time", "on_silence"),
)
_WITH_A_DRAFT: Final = ("lead_time", "on_silence")


def _with_a_schedule(_newsletter: NewsletterTable, written: Written) -> Conflicts:
    keys = [key for key in _WITH_A_SCHEDULE if key in written]
    if keys and "schedule" not in written:
        yield Conflict(
            ("schedule",),
            f"nothing, beside {', '.join(keys)}",
            'a schedule such as "weekdays at 07:00", or none of these keys',
        )


def _with_a_draft(newsletter: NewsletterTable, written: Written) -> Conflicts:
    keys = [key for key in _WITH_A_DRAFT if key in written]
    if keys and "schedule" in written and newsletter.approval is ApprovalMode.NONE:
        yield Conflict(
            ("approval",),
            f"none, beside {' and '.join(keys)}",
            'approval = "required", or none of these keys',
        )


def _one_draft_at_a_time(newsletter: NewsletterTable, _written: Written) -> Conflicts:
    if newsletter.approval is ApprovalMode.NONE or newsletter.schedule is None:
        return
    lead = newsletter.lead_time
    distance = shortest_distance(newsletter.schedule, lead)
    if distance < lead:
        yield Conflict(
            ("lead_time",),
            f"{format_duration(lead)}, with editions only {format_duration(distance)} apart",
            f"at most {format_duration(distance)}: one draft follows the other",
        )


def _times_outside_quiet_hours(newsletter: NewsletterTable, _written: Written) -> Conflicts:
    """Quiet hours put messages off; a schedule that lies in them would put off all."""
    hours = newsletter.quiet_hours
    times = newsletter.schedule.times if newsletter.schedule else ()
    if hours and times and all(moment in hours for moment in times):
        yield Conflict(
            ("quiet_hours",),
            f"{_span(hours)!r}, with every edition in them ({_listed(times)})",
            "hours that leave out at least one time of the schedule",
        )


def _span(hours: QuietHours) -> str:
    return f"{hours.begin:%H:%M}-{hours.end:%H:%M}"


def _listed(times: tuple[time, ...]) -> str:
    first = [f"{moment:%H:%M}" for moment in times[:3]]
    return ", ".join(first) + (", …" if len(times) > len(first) else "")


def _one_group_for_a_section(newsletter: NewsletterTable, _written: Written) -> Conflicts:
    places: dict[str, int] = {}
    for place, section in enumerate(newsletter.sections):
        for name in _gathered(section):
            first = places.setdefault(name.casefold(), place)
            if first != place:
                yield Conflict(
                    ("sections", place),
                    f"{shown(name)}, which sections[{first}] gathers already",
                    "each section to stand in one group",
                )


def _gathered(section: SectionTable) -> tuple[str, ...]:
    if not hasattr(section, "match"):
        return ()
    title = getattr(section, "title", None)
    return section.match or ((title,) if title else ())


#: The checks of each table.
CROSS_CHECKS: Final[Mapping[type, tuple[Callable[[Any, Any], Conflicts], ...]]] = {
    File: (
        _smtp_beside_relays,
        *(partial(_names_of_their_own, key) for key in ("relays", "sources")),
    ),
    DomainLimits: (_some_limit,),
    DkimSettings: (_second_dkim_key, _dkim_selectors),
    SourceTable: (_url_or_path, _keys_of_the_kind),
    NewsletterTable: (
        _one_sender,
        _least_and_most,
        _with_a_schedule,
        _with_a_draft,
        _one_draft_at_a_time,
        _times_outside_quiet_hours,
        _one_group_for_a_section,
    ),
}
