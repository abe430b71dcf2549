"""What concerns several keys of [smtp], [[relays]] and [domains] at once, in the raw tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from digest.config import key_paths
from digest.config.domains import is_loopback
from digest.config.problems import origin_of, shown
from digest.errors import Problem

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
