"""The digest.toml that `digest init` writes is held against the tables."""

import re
from collections.abc import Callable, Iterator

from digest.config import key_paths
from digest.config.load import Loaded
from digest.config.starter import Beginning, starter

Load = Callable[..., Loaded]

BEGINNING = Beginning(name="Example News", url="https://www.example.com", sender="news@example.com")
TEXT = starter(BEGINNING)


def test_a_beginning_sets_nothing_but_defaults_and_a_schedule(loaded: Load) -> None:
    without = """\
[site]
name = "Example News"
url = "https://www.example.com"
[newsletters.daily]
from = "news@example.com"
schedule = "weekdays at 07:00"
"""
    assert loaded(TEXT).settings == loaded(without).settings


def keys_named() -> Iterator[key_paths.Path]:
    """The path of every key, in the lines that are examples, too."""
    table: key_paths.Path = ()
    for line in TEXT.splitlines():
        if heading := re.fullmatch(r'(?:# )?\[\[?([a-z]+)(?:\.("?)([a-z.]+)\2)?\]\]?', line):
            table = (heading[1],) + ((heading[3],) if heading[3] else ())
            table += (0,) if "[[" in line else ()
        elif key := re.match(r"(?:# )?([a-z_0-9]+) = ", line):
            yield (*table, key[1])


def test_every_key_of_the_beginning_is_one() -> None:
    named = set(keys_named())
    assert {path for path in named if key_paths.at(path) is None} == set()
    # Headings and examples are understood, so that nothing was passed over.
    assert {
        ("smtp", "give_up_after"),
        ("domains", "example.com", "connections"),
        ("sources", 0, "columns"),
        ("newsletters", "daily", "only_sections"),
    } <= named
