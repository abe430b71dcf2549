"""What concerns several keys at once.

These rules read the raw tables, and only values that are right by themselves, so that one broken
key does not hide them: everything is reported at once.

What concerns several keys of [smtp], [[relays]] and [domains] at once, in the raw tables.

What concerns several keys of a newsletter that say when, in the raw tables.
"""

from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from digest.config import key_paths
from digest.config.field_types import quiet_hours, schedule
from digest.config.problems import origin_of, shown
from digest.config.validators import is_loopback
from digest.errors import Problem
from digest.lib.durations import format_duration, parse_duration
from digest.model.newsletter import Rules
from digest.model.schedule import Timing
from digest.schedule.parse import shortest_distance

Origins = Mapping[key_paths.Path, str]

#: What [smtp] is for beside [[relays]]: these hold for all of them.
_FOR_ALL = ("give_up_after",)


def check_servers(raw: Mapping[str, Any], origins: Origins) -> Iterator[Problem]:
    """Every problem between the keys of the servers."""
    smtp = table_in(raw, "smtp")
    yield from _server(("smtp",), smtp, origins)
    relays = raw.get("relays")
    if isinstance(relays, list) and relays:
        yield from _beside_relays(smtp)
        yield from _relays(relays, origins)
    yield from _domains(table_in(raw, "domains"))


def table_in(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The table at a key, empty where there is none."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def text_in(table: Mapping[str, Any], key: str) -> str | None:
    """The text at a key, None where there is none."""
    value = table.get(key)
    return value if isinstance(value, str) and value.strip() else None


def _server(path: key_paths.Path, table: Mapping[str, Any], origins: Origins) -> Iterator[Problem]:
    where = key_paths.dotted(path)
    host = text_in(table, "host") or "localhost"
    password, file = text_in(table, "password"), text_in(table, "password_file")
    if password and file and not origin_of((*path, "password"), origins):
        yield Problem(
            path=f"{where}.password_file",
            found=f"a password in {where}.password, too",
            expected="one of the two",
        )
    if (password or file) and "username" not in table:
        yield Problem(
            path=f"{where}.username",
            found="nothing",
            expected=f"the account that {where}.password belongs to",
        )
    elif "auth" in table and "username" not in table:
        yield Problem(
            path=f"{where}.username", found="nothing", expected="the account to log in with"
        )
    if (password or file) and table.get("security") == "none" and not is_loopback(host):
        yield Problem(
            path=f"{where}.security",
            found=f"none, with a password, for {shown(host)}",
            expected="starttls or tls, because the password would cross the net in the open",
        )


def _beside_relays(smtp: Mapping[str, Any]) -> Iterator[Problem]:
    own = [key for key in smtp if key not in _FOR_ALL]
    if own:
        yield Problem(
            path="smtp",
            found=f"{', '.join(own)}, beside [[relays]]",
            expected=f"only {' and '.join(_FOR_ALL)} there: each relay has keys of its own",
        )


def _relays(relays: list[Any], origins: Origins) -> Iterator[Problem]:
    names: dict[str, int] = {}
    for index, relay in enumerate(relays):
        if not isinstance(relay, dict):
            continue
        yield from _server(("relays", index), relay, origins)
        name = text_in(relay, "name")
        first = names.setdefault(name.strip().casefold(), index) if name else index
        if first != index:
            yield Problem(
                path=f"relays[{index}].name",
                found=f"{shown(name)}, the name of relays[{first}]",
                expected="a name of its own",
            )


def _domains(domains: Mapping[str, Any]) -> Iterator[Problem]:
    names: dict[str, str] = {}
    for key, limits in domains.items():
        first = names.setdefault(key.strip().rstrip(".").lower(), key)
        if first != key:
            yield Problem(
                path=key_paths.dotted(("domains", key)),
                found=f"the domain of {key_paths.dotted(('domains', first))}",
                expected="each domain once",
            )
        if isinstance(limits, dict) and not limits:
            yield Problem(
                path=key_paths.dotted(("domains", key)),
                found="no limit",
                expected="connections, messages_per_second, or both",
            )


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


_RULES: Final = Rules()
_KINDS_OF_SUFFIX: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".xml": "feed",
    ".rss": "feed",
    ".atom": "feed",
}


def guessed_kind(url: str | None, path: str | None) -> str | None:
    """What kind of source it is by its name: an address is a feed unless it says otherwise."""
    if path is not None:
        return _KINDS_OF_SUFFIX.get(PurePosixPath(path).suffix.lower())
    kind = _KINDS_OF_SUFFIX.get(PurePosixPath(urlsplit(url or "").path).suffix.lower())
    # `feed.json` is a JSON Feed; a database is no thing to read over the net.
    return kind if kind in ("csv", "jsonl") else "feed"


def cross_check(raw: Mapping[str, Any], origins: Mapping[key_paths.Path, str]) -> list[Problem]:
    """Every problem between keys."""
    found = [*check_servers(raw, origins), *_sources(raw.get("sources"))]
    found += _dkim(table_in(raw, "dkim"))
    for key, newsletter in table_in(raw, "newsletters").items():
        if isinstance(newsletter, dict):
            found += _newsletter(("newsletters", str(key)), newsletter)
    return found


def _whole(table: Mapping[str, Any], key: str, default: int | None) -> int | None:
    value = table.get(key, default)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _dkim(dkim: Mapping[str, Any]) -> Iterator[Problem]:
    """The second key is whole, and in its own place. Whose domain it is, the signer looks at."""
    for key, other in (
        ("ed25519_selector", "ed25519_key_file"),
        ("ed25519_key_file", "ed25519_selector"),
    ):
        if other in dkim and key not in dkim:
            yield Problem(path=f"dkim.{key}", found="nothing", expected=f"what goes with {other}")
    first, second = text_in(dkim, "selector"), text_in(dkim, "ed25519_selector")
    if first and second and first.lower() == second.lower():
        yield Problem(
            path="dkim.ed25519_selector",
            found=f"{shown(second)}, the name of the other key",
            expected="a name of its own",
        )


def _sources(sources: object) -> Iterator[Problem]:
    names: dict[str, int] = {}
    for index, source in enumerate(sources if isinstance(sources, list) else []):
        if not isinstance(source, dict):
            continue
        path: key_paths.Path = ("sources", index)
        yield from _source(path, source)
        name = text_in(source, "name")
        if name is None:
            continue
        first = names.setdefault(name.strip().casefold(), index)
        if first != index:
            yield Problem(
                path=key_paths.dotted((*path, "name")),
                found=f"{shown(name)}, the name of sources[{first}]",
                expected="a name of its own",
            )


def _source(path: key_paths.Path, source: Mapping[str, Any]) -> Iterator[Problem]:
    url, file = text_in(source, "url"), text_in(source, "path")
    if ("url" in source) == ("path" in source):
        yield Problem(
            path=key_paths.dotted(path),
            found="both url and path" if "url" in source else "neither url nor path",
            expected="exactly one of them",
        )
        return
    try:
        kind = source.get("kind") or (guessed_kind(url, file) if url or file else "")
    except ValueError:  # not an address at all: the schema says so
        return
    if kind is None:
        yield Problem(
            path=key_paths.dotted((*path, "kind")),
            found=f"nothing, and {shown(file)} does not tell",
            expected="feed, csv, json, jsonl or sqlite",
        )
    elif isinstance(kind, str):
        yield from _fit_for(kind, path, source)


def _fit_for(kind: str, path: key_paths.Path, source: Mapping[str, Any]) -> Iterator[Problem]:
    """What a source of this kind must have, and must not."""
    if kind == "sqlite" and "url" in source:
        yield Problem(
            path=key_paths.dotted((*path, "url")),
            found="an address for kind sqlite",
            expected="a path: a database is read from a file",
        )
    if kind == "sqlite" and "table" not in source:
        yield Problem(
            path=key_paths.dotted((*path, "table")),
            found="nothing",
            expected="the table or view that holds the articles",
        )
    only = {
        "table": ("sqlite",),
        "delimiter": ("csv",),
        "encoding": ("csv", "json", "jsonl"),
        "columns": ("sqlite", "csv", "json", "jsonl"),
    }
    for key, kinds in only.items():
        if key in source and kind and kind not in kinds:
            yield Problem(
                path=key_paths.dotted((*path, key)),
                found=f"{key} for kind {shown(kind)}",
                expected=f"{key} only for kind {', '.join(kinds)}",
            )


def _newsletter(path: key_paths.Path, newsletter: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _sender(path, newsletter)
    least = _whole(newsletter, "min_items", _RULES.min_items)
    most = _whole(newsletter, "max_items", _RULES.max_items)
    if least is not None and most is not None and least > most:
        key = "min_items" if "min_items" in newsletter else "max_items"
        yield Problem(
            path=key_paths.dotted((*path, key)),
            found=f"min_items {shown(least)} and max_items {shown(most)}",
            expected="min_items to be at most max_items",
        )
    yield from check_timing(path, newsletter)
    yield from _sections((*path, "sections"), newsletter.get("sections"))


def _sender(path: key_paths.Path, newsletter: Mapping[str, Any]) -> Iterator[Problem]:
    doubled = [key for key in ("sender_name", "sender_address") if key in newsletter]
    if "from" in newsletter and doubled:
        yield Problem(
            path=key_paths.dotted((*path, "from")),
            found=f"{' and '.join(doubled)}, too",
            expected="either from, or sender_name and sender_address",
        )
    if "from" not in newsletter and "sender_address" not in newsletter:
        yield Problem(
            path=key_paths.dotted((*path, "sender_address")),
            found="nothing",
            expected="an e-mail address such as news@example.com",
        )


def _sections(path: key_paths.Path, sections: object) -> Iterator[Problem]:
    gathered: dict[str, int] = {}
    for index, section in enumerate(sections if isinstance(sections, list) else []):
        table = section if isinstance(section, dict) else {"title": section}
        match = table.get("match", [table.get("title")])
        names = [name for name in match if isinstance(name, str)] if isinstance(match, list) else []
        for name in names:
            first = gathered.setdefault(name.strip().casefold(), index)
            if first != index:
                yield Problem(
                    path=key_paths.dotted((*path, index)),
                    found=f"{shown(name)}, which sections[{first}] gathers already",
                    expected="each section to stand in one group",
                )
