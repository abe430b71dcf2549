"""A row of a file -> what it says about one reader."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeVar

from digest.errors import SubscriberError
from digest.model.subscriber import MembershipStatus
from digest.subscribers import field_values
from digest.subscribers.address import normalise, typed_address
from digest.subscribers.columns import Columns

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class ImportedReader:
    """What one row says; an empty value says nothing. `notes` tell of values that were left out.

    A reader who comes from no file has the `line` 0.

    The one value here that is not frozen: a list has a million of them, and frozen ones take four
    times as long to make.
    """

    line: int = 0
    email: str
    status: MembershipStatus
    name: str = ""
    language: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] = ()
    since: datetime | None = None
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether the row tells nothing about the person but the address."""
        return not (self.name or self.language or self.timezone or self.topics or self.fields)


def read(
    line: int, columns: Columns, cells: Sequence[str], *, now: datetime, zone: tzinfo
) -> ImportedReader:
    """What a row says. Raises SubscriberError for an address or a state that cannot be used.

    Any other value that cannot be used is left out, with a note: a wrong time zone must not cost
    a reader the newsletter. `zone` is where a `since` without a zone is meant.
    """
    cell = _Cells(cells)
    notes: list[str] = []
    reader = ImportedReader(
        line=line,
        email=normalise(cells[columns.email]),
        status=field_values.status(cell[columns.state]),
    )
    name = cell[columns.name]
    if columns.first_name is not None or columns.last_name is not None:
        name = f"{cell[columns.first_name]} {cell[columns.last_name]}"
    if name:
        reader.name = _usable(field_values.name, name, notes) or ""
    if text := cell[columns.language]:
        reader.language = _usable(field_values.language, text, notes)
    if text := cell[columns.timezone]:
        reader.timezone = _usable(field_values.timezone, text, notes)
    if text := cell[columns.topics]:
        reader.topics = _usable(_topics, text, notes) or ()
    if text := cell[columns.since]:
        reader.since = _usable(lambda it: field_values.since(it, now=now, zone=zone), text, notes)
    if text := cell[columns.suppressed_because]:
        reader.reason = field_values.one_line(text[:5_000])[:500]
    elif reader.status in (MembershipStatus.UNSUBSCRIBED, MembershipStatus.SUPPRESSED):
        reader.reason = field_values.reason_of(cell[columns.state])
    if columns.fields:
        reader.fields = _fields(columns, cell, notes)
    reader.notes = tuple(notes)
    return reader


def typed(
    email: str,
    *,
    name: str = "",
    language: str | None = None,
    timezone: str | None = None,
    topics: Sequence[str] = (),
) -> ImportedReader:
    """The reader that a person typed in. Raises SubscriberError for any value that cannot be used.

    The address may come as `A Name <name@example.com>`.
    """
    address = typed_address(email)
    return ImportedReader(
        email=address.email,
        status=MembershipStatus.ACTIVE,
        name=field_values.name(name or address.name),
        language=field_values.language(language) if language else None,
        timezone=field_values.timezone(timezone) if timezone else None,
        topics=field_values.topics(list(topics)),
    )


class _Cells:
    """The cells of a row, stripped; one that is not there is empty."""

    __slots__ = ("_cells",)

    def __init__(self, cells: Sequence[str]) -> None:
        self._cells = cells

    def __getitem__(self, place: int | None) -> str:
        if place is None or place >= len(self._cells):
            return ""
        return self._cells[place].strip()


def _usable(form: Callable[[str], T], text: str, notes: list[str]) -> T | None:
    try:
        return form(text)
    except SubscriberError as error:
        notes.append(error.message)
        return None


def _fields(columns: Columns, cell: _Cells, notes: list[str]) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for name, place in columns.fields:
        if not cell[place]:
            continue
        try:
            if text := field_values.field(cell[place]):
                fields[name] = text
        except SubscriberError as error:
            notes.append(f"{name!r}: {error.message}")
    return fields


def _topics(cell: str) -> tuple[str, ...]:
    """Topics parted by semicolons, commas or bars, or a JSON array of them."""
    if not cell.startswith("["):
        return field_values.topics(re.split(r"[;,|]", cell))
    try:
        return field_values.topics([str(topic) for topic in json.loads(cell)])
    except (ValueError, RecursionError):
        raise SubscriberError(f"the topics {cell[:40]!r}, expected a JSON array") from None


def topics_cell(topics: Sequence[str]) -> str:
    """The inverse of what `read` makes of a cell of topics."""
    plain = not any(re.search(r"[;,|]|^\[", topic) for topic in topics)
    return "; ".join(topics) if plain else json.dumps(topics, ensure_ascii=False)
