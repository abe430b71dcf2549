"""Any configuration that is right loads to what it says; any that is wrong says so, and no more."""

import contextlib
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config.environment import variable
from digest.config.load import load_text
from digest.config.starter import Beginning, quoted, starter
from digest.errors import ConfigError
from digest.model.newsletter import SectionRule

HERE = Path("/nowhere/digest.toml")

ZONES = st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata", "America/St_Johns"])
LANGUAGES = st.sampled_from(["en", "de", "fr", "ar", "de-AT"])
ADDRESSES = st.from_regex(
    r"[a-z]{1,8}(\.[a-z]{1,8})?@[a-z]{1,8}\.example\.(com|org)", fullmatch=True
)
KEYS = st.from_regex(r"[a-z][a-z0-9]{0,6}([-_][a-z0-9]{1,4}){0,2}", fullmatch=True)
LINES = (
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=60)
    .map(str.strip)
    .filter(lambda text: text and "=?" not in text)
)


def toml(value: Any) -> str:
    """A value as TOML, with every character outside of ASCII's letters escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        plain = [c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in value]
        return f'"{"".join(plain)}"'
    return json.dumps(value)


def file(tables: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {toml(table)}\n" for key, table in tables.items())


def tables(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


SCHEDULE_LINES = st.sampled_from(
    ["daily at 07:00", "Fridays at 16:30", "monthly on the last day at 9:00", "30 7 * * mon-fri"]
)
SECTIONS = st.lists(LINES, max_size=4, unique_by=str.casefold)
SITES = tables(
    {"name": LINES, "url": st.just("https://www.example.com")},
    {"language": LANGUAGES, "timezone": ZONES, "postal_address": LINES},
)
NEWSLETTERS = tables(
    {"sender_address": ADDRESSES},
    {
        "title": LINES,
        "sender_name": LINES,
        "reply_to": ADDRESSES,
        "bounce_address": st.just("bounces@example.com"),
        "language": LANGUAGES,
        "timezone": ZONES,
        "subject": LINES,
        "max_age": st.integers(60, 10_000_000),
        "min_items": st.integers(1, 20),
        "max_items": st.integers(24, 1000),
        "max_per_section": st.integers(1, 1000),
        "decks_per_section": st.integers(0, 1000),
        "sections": SECTIONS,
        "only_sections": st.booleans(),
    },
) | tables(
    {"sender_address": ADDRESSES, "schedule": SCHEDULE_LINES | st.tuples(SCHEDULE_LINES).map(list)},
    {
        "timezone": ZONES,
        "days_off": st.lists(st.dates().map(str), max_size=3),
        "catch_up": st.sampled_from(["collapse", "replay", "skip"]),
        "max_lateness": st.integers(60, 1_000_000),
        "deliver_at": st.sampled_from(["newsletter", "reader"]),
        "quiet_hours": st.just("22:00-05:30"),
        "approval": st.sampled_from(["none", "required"]),
    },
)
SMTP = tables(
    {"host": st.sampled_from(["localhost", "mail.example.com"])},
    {
        "port": st.integers(1, 65_535),
        "connections": st.integers(1, 50),
        "timeout": st.integers(1, 9),
    },
)
SOURCES = st.lists(
    tables({"name": LINES, "path": st.just("x.csv")}, {"section": LINES, "timezone": ZONES}),
    max_size=3,
    unique_by=lambda source: source["name"].casefold(),
)
FILES = tables(
    {
        "site": SITES,
        "newsletters": st.dictionaries(KEYS, NEWSLETTERS, min_size=1, max_size=3).filter(
            lambda found: len({key.replace("-", "_") for key in found}) == len(found)
        ),
    },
    {"smtp": SMTP, "sources": SOURCES},
)


@given(FILES)
def test_a_right_configuration_loads_to_what_it_says(meant: dict[str, Any]) -> None:
    found = load_text(file(meant), HERE, {}).settings

    site = meant["site"]
    assert found.site.name == site["name"]
    assert found.site.timezone == ZoneInfo(site.get("timezone", "UTC"))
    assert found.site.language == site.get("language", "en")
    assert list(found.newsletters) == list(meant["newsletters"])
    for key, table in meant["newsletters"].items():
        newsletter = found.newsletters[key]
        assert newsletter.title == table.get("title", site["name"])
        assert newsletter.sender_address == table["sender_address"]
        assert newsletter.timezone == ZoneInfo(table.get("timezone", found.site.timezone.key))
        assert newsletter.rules.max_age == timedelta(seconds=table.get("max_age", 172_800))
        assert newsletter.rules.max_items == table.get("max_items", 24)
        lines = table.get("schedule", [])
        lines = [lines] if isinstance(lines, str) else lines
        assert (newsletter.schedule.lines if newsletter.schedule else ()) == tuple(lines)
        assert newsletter.timing.approval is (table.get("approval") == "required")
        assert newsletter.rules.sections == tuple(
            SectionRule(title=title, match=(title,)) for title in table.get("sections", [])
        )
    assert [s.name for s in found.sources] == [s["name"] for s in meant.get("sources", [])]
    assert found.smtp.host == meant.get("smtp", {"host": "localhost"})["host"]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every value below, with its path. Lists of texts are values."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [leaf for i, inner in enumerate(value) for leaf in leaves(inner, (*path, i))]
    return [(path, value)]


def as_variable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@given(FILES, st.data())
def test_a_variable_is_worth_the_same_value_in_the_file(
    meant: dict[str, Any], data: st.DataObject
) -> None:
    path, value = data.draw(st.sampled_from(leaves(meant)))
    in_file = load_text(file(meant), HERE, {}).settings
    # The same file without the value, but with the table that it stands in.
    without = json.loads(json.dumps(meant))
    table = without
    for step in path[:-1]:
        table = table[step]
    del table[path[-1]]

    by_environment = load_text(file(without), HERE, {variable(path): as_variable(value)}).settings

    assert by_environment == in_file


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
).filter(lambda value: value is not None)


def toml_of_anything(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{toml(str(k))} = {toml_of_anything(v)}" for k, v in value.items())
        return "{" + inner + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_of_anything, value))}]"
    return "0" if value is None else toml(value)


@given(FILES, ANYTHING, st.data())
def test_whatever_stands_in_place_of_a_value_is_taken_or_refused(
    meant: dict[str, Any], anything: Any, data: st.DataObject
) -> None:
    path, _ = data.draw(st.sampled_from(leaves(meant)))
    depth = data.draw(st.integers(1, len(path)))
    table: Any = meant
    for step in path[: depth - 1]:
        table = table[step]
    table[path[depth - 1]] = anything
    text = "".join(f"{key} = {toml_of_anything(value)}\n" for key, value in meant.items())

    with contextlib.suppress(ConfigError):
        load_text(text, HERE, {})


@given(FILES, st.data())
def test_a_damaged_file_is_refused_in_words(meant: dict[str, Any], data: st.DataObject) -> None:
    text = file(meant)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    damaged = text[:start] + data.draw(st.text(max_size=5)) + text[end:]

    with contextlib.suppress(ConfigError):
        load_text(damaged, HERE, {})


@given(
    st.dictionaries(
        st.lists(
            st.sampled_from(["SMTP", "PORT", "SITE", "NEWSLETTERS", "DAILY", "SECTIONS", "SOURCES"])
            | st.sampled_from(["0", "1", "00", "", "MATCH", "TITLE", "COLUMNS", "MAX_AGE", "²"]),
            min_size=1,
            max_size=5,
        ).map(lambda steps: "DIGEST_" + "__".join(steps)),
        st.text(max_size=20)
        | st.sampled_from(["[]", "{}", "[[]]", "null", "[null]", "1", "\udc80"]),
        max_size=4,
    )
)
def test_whatever_the_environment_holds_is_taken_or_refused(environ: dict[str, str]) -> None:
    text = file(
        {
            "site": {"name": "Example", "url": "https://www.example.com"},
            "newsletters": {"daily": {"from": "news@example.com", "sections": ["Town"]}},
        }
    )
    with contextlib.suppress(ConfigError):
        load_text(text, HERE, environ)


@given(LINES, LINES, LINES)
@settings(deadline=None)
def test_a_beginning_with_any_name_loads_to_that_name(name: str, sender: str, address: str) -> None:
    sender = sender.replace('"', "").replace("<", "").strip() or "x"
    beginning = Beginning(
        name=name,
        url="https://www.example.com",
        sender=f"{sender} <news@example.com>",
        postal_address=address,
    )

    found = load_text(starter(beginning), HERE, {}).settings

    assert (found.site.name, found.site.postal_address) == (name, address)
    newsletter = found.newsletter("daily")
    assert (newsletter.title, newsletter.sender_name) == (name, sender)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written_as_toml(text: str) -> None:
    import tomllib

    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}
