"""From what the schema refuses to problems in plain words; secrets stay out of them."""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from digest.config import key_paths
from digest.config.schema import File
from digest.errors import Problem
from digest.lib.redact import without_login
from digest.lib.text import nearest

_LONGEST: Final = 60


def problems_of(error: ValidationError, origins: Mapping[key_paths.Path, str]) -> list[Problem]:
    """Every problem of a validation, in the order of the schema."""
    return [_problem(details, origins) for details in error.errors(include_url=False)]


def shown(value: object) -> str:
    """A found value for people: shortened, on one line, without what is inside of a table."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # a whole number of more digits than Python prints
        return "an enormous number"
    return shortened(without_login(text))


def shortened(text: str) -> str:
    """The text, cut in its middle where it is long."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}…{text[-half:]}"


def origin_of(path: key_paths.Path, origins: Mapping[key_paths.Path, str]) -> str | None:
    """The variable that the value at a path, or the list around it, came from."""
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            return origins[path[:length]]
    return None


def _problem(details: ErrorDetails, origins: Mapping[key_paths.Path, str]) -> Problem:
    path: key_paths.Path = tuple(step for step in details["loc"] if step != "[key]")
    if details["type"] == "extra_forbidden":
        return _unknown_key(path)
    facts = details.get("ctx", {}) if details["type"] == "refused" else {}
    if details["type"] == "missing":
        found = "nothing"
    elif details["loc"] and details["loc"][-1] == "[key]":
        found = "this key"
    elif key_paths.is_secret(path):
        found = "a value that is not shown"
    elif isinstance(details["input"], str) and key_paths.is_table(key_paths.at(path)):
        found = "a text"  # not shown: what a table should hold may be a login
    else:
        found = shown(details["input"] if facts.get("found") is None else facts["found"])
    variable = origin_of(path, origins)
    return Problem(
        path=key_paths.dotted(path),
        found=f"{found} in {variable}" if variable else found,
        expected=facts.get("expected") or _expected(path, None if variable else details["input"]),
        suggestion=facts.get("suggestion"),
    )


def _expected(path: key_paths.Path, found: object) -> str:
    """The kind in plain words, and where quotes are all that is wrong, that too."""
    annotation = key_paths.at(path)
    words, kind = key_paths.words(annotation), key_paths.bare(annotation)
    unquoted = {int: r"[+-]?\d+", bool: r"true|false"}.get(kind)
    if unquoted and isinstance(found, str) and re.fullmatch(unquoted, found):
        return f"{words}, without quotes"
    if kind is str and isinstance(found, int | float):
        return f"{words}, in quotes"
    return words


def _unknown_key(path: key_paths.Path) -> Problem:
    table, key = path[:-1], str(path[-1])
    known = list(key_paths.keys(key_paths.bare(key_paths.at(table))))
    return Problem(
        path=key_paths.dotted(path),
        found="an unknown key",
        expected=f"one of {', '.join(known)}",
        suggestion=nearest(key.replace("-", "_"), known) or _elsewhere(key),
    )


def _elsewhere(key: str) -> str | None:
    """The same key in another table, for one that stands under the wrong heading."""
    for name, field in key_paths.keys(File).items():
        kind = key_paths.bare(key_paths.annotation_of(field))
        if key_paths.is_table(kind) and key in key_paths.keys(kind):
            return f"{name}.{key}"
    return None
