"""Rows as values: the field of a dataclass has the column of its name, and its type says how.

Instants are stored as text, lists and mappings as JSON, enumerations by their values, and None as
null. A field that is a dataclass itself is made of columns of the same row. A field with a default
keeps it where the query has no such column.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from digest.lib.timestamps import from_text, to_text

T = TypeVar("T")


def read(kind: type[T], cursor: sqlite3.Cursor) -> Iterator[T]:
    """Each row of a query as a value of this dataclass, made when it is asked for."""
    return map(_maker(kind, tuple(column[0] for column in cursor.description)), cursor)


def from_row(kind: type[T], row: sqlite3.Row, **values: Any) -> T:
    """A row as a value of this dataclass; `values` are fields that are not in it."""
    value: T = _maker(kind, tuple(row.keys()), tuple(values))(row, **values)
    return value


def to_row(value: Any) -> dict[str, Any]:
    """The fields of a dataclass as they are stored, by their names."""
    return {field.name: _stored(getattr(value, field.name)) for field in fields(value)}


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value


def _new_maker(
    kind: Any, columns: tuple[str, ...], known: tuple[str, ...] = ()
) -> Callable[..., Any]:
    """What makes a value of a row with these columns, and of the fields that are `known`."""
    # By position: SQLite's rows look for a name from column to column.
    positions: list[tuple[str, int]] = []
    converters: list[tuple[str, Callable[[Any], Any]]] = []
    parts: list[tuple[str, Callable[[Any], Any]]] = []
    for field in fields(kind):
        required = field.default is MISSING and field.default_factory is MISSING
        if field.name in known:
            continue
        if required and is_dataclass(field.type):
            parts.append((field.name, _maker(field.type, columns)))
        elif required or field.name in columns:
            positions.append((field.name, columns.index(field.name)))
            if convert := _converter(field.type):
                converters.append((field.name, convert))

    def make(row: sqlite3.Row, **values: Any) -> Any:
        for name, position in positions:
            values[name] = row[position]
        for name, convert in converters:
            values[name] = convert(values[name])
        for name, make_part in parts:
            values[name] = make_part(row)
        return kind(**values)

    return make


#: Declared, because mypy has no hash for a type variable.
_maker: Callable[..., Callable[..., Any]] = lru_cache(maxsize=256)(_new_maker)


def _converter(annotation: Any) -> Callable[[Any], Any] | None:
    """What makes a value of this type of what is stored; None where that is the same."""
    origin = get_origin(annotation)
    if origin is UnionType:
        convert = _converter(get_args(annotation)[0])
        return convert and (lambda stored: convert(stored) if stored else None)
    if origin is tuple:
        return lambda stored: () if stored == "[]" else _tuples(json.loads(stored))
    if origin is Mapping:
        return lambda stored: {} if stored == "{}" else json.loads(stored)
    if annotation is datetime:
        return from_text
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return annotation if is_enum or annotation is bool else None


def _tuples(value: Any) -> Any:
    """Lists as tuples, to whatever depth."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def sql_list(states: Iterable[StrEnum]) -> str:
    """States as the right-hand side of `in`: `('due', 'draft')`."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"
