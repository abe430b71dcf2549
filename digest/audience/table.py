"""A file of readers -> its rows, whatever its format, encoding and delimiter.

The file is taken whole: the database must not stay locked while somebody's pipe is slow, and an
encoding can only be told for certain from all of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from digest.audience.json_rows import json_rows, jsonl_rows
from digest.audience.rows import BadRow, Row
from digest.errors import AudienceError
from digest.subscribers import columns
from digest.subscribers.columns import Mapped
from digest.subscribers.decoding import decoded_list
from digest.subscribers.list_file import csv_rows


class Format(StrEnum):
    """What a file of readers is written in."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file, understood as far as its format. Reading `rows` may still find it broken."""

    rows: Iterator[Row | BadRow]
    remarks: tuple[str, ...] = ()


def read(
    data: bytes,
    *,
    name: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    said: Mapping[str, str] | None = None,
) -> Table:
    """Understand a file; its encoding, format and delimiter are found out unless they are given.

    `name` is what messages call it. `said` is what the file calls our columns, where that is
    something of its own: `{"name": "Vorname"}`.
    Raises AudienceError, here or while `rows` are read, for a file that cannot be read as a list,
    and UsageError for a column in `said` that we do not have.
    """
    mapped = columns.mapped(said or {})
    with _named(name):
        text, remarks = decoded_list(data, encoding)
        if not text.strip():
            raise AudienceError(
                "the file is empty", hint="Expected a line of column names, `email` among them."
            )
    return Table(
        rows=_rows(text, delimiter, mapped, name),
        remarks=tuple(f"{name}: {remark}" if name else remark for remark in remarks),
    )


@contextmanager
def _named(name: str | None) -> Iterator[None]:
    """Errors with the name of the file in front."""
    try:
        yield
    except AudienceError as error:
        if name is None:
            raise
        raise AudienceError(f"{name}: {error.message}", hint=error.hint) from None


def _rows(
    text: str, delimiter: str | None, said: Mapped, name: str | None
) -> Iterator[Row | BadRow]:
    with _named(name):
        match _format_of(text):
            case Format.CSV:
                yield from csv_rows(text, delimiter, said)
            case Format.JSON:
                yield from json_rows(text, said)
            case Format.JSONL:
                yield from jsonl_rows(text, said)


def _format_of(text: str) -> Format:
    first = text.lstrip()[:1]
    if first == "[":
        return Format.JSON
    return Format.JSONL if first == "{" else Format.CSV
