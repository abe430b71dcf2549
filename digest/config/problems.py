"""What is wrong with a value, in plain words; secrets stay out of them."""

import re
from typing import Any, Final

from digest.config import key_paths
from digest.config.schema import File
from digest.config.validators import InvalidValue
from digest.errors import Problem
from digest.lib.redact import without_login
from digest.lib.text import nearest

_LONGEST: Final = 60


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


def invalid(
    path: key_paths.Path, value: Any, annotation: Any, error: InvalidValue, variable: str | None
) -> Problem:
    """The problem of a value that was refused; `variable` is where it came from."""
    if key_paths.field_type(annotation).secret:
        found = "a value that is not shown"
    elif isinstance(value, str) and key_paths.is_table(annotation):
        found = "a text"  # not shown: what a table should hold may be a login
    else:
        found = shown(value if error.found is None else error.found)
    return Problem(
        path=key_paths.dotted(path),
        found=f"{found} in {variable}" if variable else found,
        expected=error.expected or _expected(annotation, None if variable else value),
        suggestion=error.suggestion,
    )


def missing(path: key_paths.Path, annotation: Any, variable: str | None) -> Problem:
    """The problem of a required key that is not there."""
    return Problem(
        path=key_paths.dotted(path),
        found=f"nothing in {variable}" if variable else "nothing",
        expected=key_paths.field_type(annotation).words,
    )


def unknown(path: key_paths.Path, known: list[str]) -> Problem:
    """The problem of a key that its table does not have."""
    key = str(path[-1])
    return Problem(
        path=key_paths.dotted(path),
        found="an unknown key",
        expected=f"one of {', '.join(known)}",
        suggestion=nearest(key.replace("-", "_"), known) or _elsewhere(key),
    )


def _expected(annotation: Any, value: object) -> str:
    """The type in plain words, and where quotes are all that is wrong, that too."""
    words, kind = key_paths.field_type(annotation).words, key_paths.bare(annotation)
    unquoted = {int: r"[+-]?\d+", bool: r"true|false"}.get(kind)
    if unquoted and isinstance(value, str) and re.fullmatch(unquoted, value):
        return f"{words}, without quotes"
    if kind is str and isinstance(value, int | float):
        return f"{words}, in quotes"
    return words


def _elsewhere(key: str) -> str | None:
    """The same key in another table, for one that stands under the wrong heading."""
    for name, field in key_paths.keys(File).items():
        kind = key_paths.bare(field.type)
        if key_paths.is_table(kind) and key in key_paths.keys(kind):
            return f"{name}.{key}"
    return None
