"""What concerns several keys at once.

These rules read the raw tables, and only values that are right by themselves, so that one broken
key does not hide them: everything is reported at once.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from digest.config import key_paths
from digest.config.problems import shown
from digest.config.server_checks import check_servers, table_in, text_in
from digest.config.timing_checks import check_timing
from digest.errors import Problem
from digest.model.newsletter import Rules

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
