"""The tables, walked: which keys they have, where a key is, and what may stand there."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache, reduce
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from digest.config.field_types import FieldType, Key, one_of
from digest.config.schema import File

#: The way to a value: keys of tables and positions in lists, as in ("sources", 0, "path").
Path = tuple[str | int, ...]
#: Where values come from, if not from the file: the variables of the environment, by path.
Origins = Mapping[Path, str]


def dotted(path: Path) -> str:
    """The path as it is written in messages: `sources[0].path`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            # A strange key is shown in quotes, escaped, as TOML wants it.
            plain = step.replace("-", "").replace("_", "").isalnum() and step.isascii()
            text += ("." if text else "") + (step if plain else ascii(step))
    return text


def bare(annotation: Any) -> Any:
    """A type without its marks, and without None."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return bare(next(part for part in get_args(annotation) if part is not NoneType))
    return annotation


def _marks(annotation: Any) -> list[Any]:
    """Everything that a type is annotated with, inside `… | None` too; outer marks first."""
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return own + _marks(inner)
    if get_origin(annotation) in (Union, UnionType):
        return [mark for part in get_args(annotation) for mark in _marks(part)]
    return []


def field_type(annotation: Any) -> FieldType:
    """How the value is checked, and what it is called."""
    return _field_type(annotation) or FieldType("a table")


def _field_type(annotation: Any) -> FieldType | None:
    kind = bare(annotation)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return one_of(kind)
    return next((mark for mark in _marks(annotation) if isinstance(mark, FieldType)), None)


def _key(field: Field[Any]) -> Key:
    return next((mark for mark in _marks(field.type) if isinstance(mark, Key)), Key())


@cache
def keys(table: Any) -> Mapping[str, Field[Any]]:
    """The keys of a table as digest.toml spells them: its fields with a type of a table or a value.

    A field with a plain type, such as `publisher: str | None`, is no key.
    """
    places = [field.name for field in fields(table)]
    own = [field for field in fields(table) if _field_type(field.type) or is_table(field.type)]
    own.sort(key=lambda field: places.index(_key(field).place or field.name))
    return {_key(field).name or field.name: field for field in own}


def is_required(field: Field[Any]) -> bool:
    """Whether a key has no default."""
    return field.default is MISSING and field.default_factory is MISSING


def is_table(annotation: Any) -> bool:
    """Whether a table of known keys stands there."""
    kind = bare(annotation)
    return isinstance(kind, type) and is_dataclass(kind) and bool(keys(kind))


def is_list(annotation: Any) -> bool:
    """Whether a list of values stands there, each of which has a path of its own."""
    kind = bare(annotation)
    return get_origin(kind) is tuple and get_args(kind)[-1] is Ellipsis


def is_dict(annotation: Any) -> bool:
    """Whether tables with keys of the owner's own stand there."""
    return get_origin(bare(annotation)) is dict


def expanded(annotation: Any, value: Any) -> Any:
    """The value, as a table where a plain text is short for one."""
    short_for = getattr(bare(annotation), "SHORT_FOR", None)
    return {short_for: value} if short_for and isinstance(value, str) else value


def below(annotation: Any, step: str | int) -> Any:
    """The type one step further down, or None where the schema has nothing."""
    kind = bare(annotation)
    if is_table(kind):
        field = keys(kind).get(str(step))
        return field.type if field else None
    if is_list(kind):
        return get_args(kind)[0]
    return get_args(kind)[1] if is_dict(kind) else None


def at(path: Path) -> Any:
    """The type that stands at a path, or None where the schema has nothing."""
    return reduce(below, path, File)


def origin_of(path: Path, origins: Origins) -> str | None:
    """The variable that the value at a path, or the list around it, came from."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((origins[place] for place in around if place in origins), None)
