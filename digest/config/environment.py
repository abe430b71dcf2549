"""Overrides from the environment: `DIGEST_SMTP__PORT=2525` stands for `smtp.port`.

Two underscores separate the steps. Case does not matter, `-` and `.` are written `_`, so a key may
be ambiguous or unknown: that is a problem, never a guess. A name without two underscores, such as
DIGEST_X, is no configuration and is left alone.

An override changes what there is: any key of any table, and the items of lists. It may add the
next item to a list, but never a newsletter, which a typing error would otherwise send.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Final

from digest.config import key_paths
from digest.config.schema import File
from digest.errors import Problem
from digest.lib.text import nearest

PREFIX: Final = "DIGEST_"
_STEP: Final = "__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """The raw tables after the overrides, and which variable each value came from."""

    raw: dict[str, Any]
    origins: key_paths.Origins
    problems: tuple[Problem, ...]


class _NotFound(Exception):
    """A variable names nothing that can be set; the problem says why, but for the variable."""

    def __init__(self, found: str, expected: str, suggestion: str | None = None) -> None:
        super().__init__(found)
        self.problem = Problem(path="", found=found, expected=expected, suggestion=suggestion)


def override(raw: Mapping[str, Any], environ: Mapping[str, str]) -> Overridden:
    """The raw tables with every DIGEST_…__… of the environment put in. `raw` is not changed."""
    changed = deepcopy(dict(raw))
    origins: dict[key_paths.Path, str] = {}
    problems: list[Problem] = []
    for name in sorted(filter(_is_ours, environ), key=_natural):
        try:
            path = _find(name.upper().removeprefix(PREFIX), changed, origins)
            _put(changed, path, _converted(environ[name], key_paths.at(path)))
            origins[path] = name
        except _NotFound as error:
            problems.append(replace(error.problem, path=name))
    return Overridden(raw=changed, origins=origins, problems=tuple(problems))


def variable(path: key_paths.Path) -> str:
    """The name of the variable that overrides the value at a path."""
    return PREFIX + _STEP.join(_spelled(step) for step in path)


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX) and _STEP in name[len(PREFIX) :]


def _natural(name: str) -> list[tuple[int, str]]:
    # SOURCES__2 comes before SOURCES__10, and a list before its items.
    return [(int(step) if _is_index(step) else -1, step) for step in name.upper().split(_STEP)]


def _is_index(step: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", step) is not None


def _spelled(step: str | int) -> str:
    return str(step).upper().replace("-", "_").replace(".", "_")


def _find(steps: str, value: Any, taken: key_paths.Origins) -> key_paths.Path:
    """The path that the upper-case rest of a name spells, key by key from the root."""
    path: key_paths.Path = ()
    kind: Any = File
    while steps:
        step = _next_step(steps, kind, value, path)
        steps = steps[len(str(step)) :].removeprefix(_STEP)
        path = (*path, step)
        kind = key_paths.below(kind, step)
        value = _value_at(value, step)
    # A table that has a short form may be given as a text.
    tables = key_paths.is_table(kind) and key_paths.expanded(kind, "") == ""
    if tables or key_paths.is_dict(kind):
        example = next(iter(_candidates(kind, value)), "KEY")
        raise _NotFound(
            f"the name of the table {key_paths.dotted(path)}",
            "the name of one of its keys",
            variable((*path, example)),
        )
    if path in taken:
        raise _NotFound(f"the same key as {taken[path]}", "one of the two")
    return path


def _next_step(steps: str, kind: Any, value: Any, path: key_paths.Path) -> str | int:
    head = steps.split(_STEP, 1)[0]
    if key_paths.is_list(kind):
        return _next_index(head, value, path)
    candidates = _candidates(kind, value)
    fitting = [key for key in candidates if f"{steps}{_STEP}".startswith(_spelled(key) + _STEP)]
    longest = max(map(len, fitting), default=0)
    best = [key for key in fitting if len(key) == longest]
    if len(best) == 1:
        return best[0]
    where = key_paths.dotted(path) or "digest.toml"
    if best:
        raise _NotFound(f"a name that fits {' and '.join(best)} in {where}", "keys that differ")
    like = nearest(head.lower(), [key.replace("-", "_") for key in candidates])
    raise _NotFound(
        f"{head.lower()}, which {where} does not have",
        f"one of {', '.join(candidates)}" if candidates else "no further step",
        variable((*path, like)) if like else None,
    )


def _next_index(head: str, value: Any, path: key_paths.Path) -> int:
    have = len(value) if isinstance(value, list) else 0
    # A leading zero would be a second name of the same item.
    if _is_index(head) and head == str(int(head)) and int(head) <= have:
        return int(head)
    upto = f"a number from 0 to {have}" if have else "0"
    raise _NotFound(f"{head} as a position in {key_paths.dotted(path)}", upto, variable((*path, 0)))


def _candidates(kind: Any, value: Any) -> list[str]:
    if key_paths.is_table(kind):
        return list(key_paths.keys(key_paths.bare(kind)))
    if key_paths.is_dict(kind) and isinstance(value, dict):
        return list(value)
    return []


def _value_at(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _put(raw: dict[str, Any], path: key_paths.Path, value: Any) -> None:
    """Set the value at a path, making tables and the next item of a list on the way.

    Where the file has something else than a table or a list on the way, it stays, and is a problem
    of the file.
    """
    here: Any = raw
    for depth, step in enumerate(path[:-1], start=1):
        annotation = key_paths.at(path[:depth])
        child = key_paths.expanded(annotation, _value_at(here, step))
        if child is None:
            child = [] if key_paths.is_list(annotation) else {}
        if not _set(here, step, child):
            return
        here = child
    _set(here, path[-1], value)


def _set(here: Any, step: str | int, value: Any) -> bool:
    if isinstance(here, dict):
        here[step] = value
    elif isinstance(here, list) and isinstance(step, int):
        here[step : step + 1] = [value]
    else:
        return False
    return True


def _converted(text: str, annotation: Any) -> Any:
    """The text as the type of its key; as it is where it does not fit, for the schema to refuse."""
    kind = key_paths.bare(annotation)
    if kind is int and re.fullmatch(r"\s*[+-]?[0-9](_?[0-9]){0,30}\s*", text):
        return int(text)
    if kind is float and re.fullmatch(r"\s*[0-9]{1,12}(\.[0-9]{1,9})?\s*", text):
        return float(text)
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words.get(text.strip().lower(), text)
    several = key_paths.is_list(annotation) or list in key_paths.field_type(annotation).accepts
    return _listed(text) if several else text


def _listed(text: str) -> Any:
    for parse in (json.loads, lambda array: tomllib.loads(f"x = {array}")["x"]):
        try:
            value = parse(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list):
            return value
    return text
