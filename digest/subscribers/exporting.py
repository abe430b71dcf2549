"""The list -> CSV or JSON Lines that an import reads back to the same list.

Whoever left and whoever is suppressed is exported too, with that state: it is what keeps them out
wherever the file is imported.
"""

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final, TextIO

from digest.lib.atomic_file import owner_only, replacing
from digest.lib.timestamps import to_text
from digest.model.subscriber import Member, MembershipStatus
from digest.storage import subscriptions
from digest.storage.database import Database
from digest.subscribers import columns
from digest.subscribers.formula_guard import guard
from digest.subscribers.import_row import topics_cell

#: After these the list's own fields follow.
_COLUMNS: Final = (*columns.OWN, columns.REASON)


class ExportFormat(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    JSONL = "jsonl"


def export_list(
    db: Database,
    newsletter: str,
    statuses: Collection[MembershipStatus],
    form: ExportFormat,
    file: TextIO,
) -> int:
    """Write those of the list who have one of these statuses (none is nobody); returns how many.

    Suppressed addresses that were never on the list belong to those who are suppressed.
    """
    members = subscriptions.members(db, newsletter, statuses)
    if form is ExportFormat.JSONL:
        return write_jsonl(members, file)
    return write_csv(members, subscriptions.field_names(db, newsletter), file)


@contextmanager
def to_file(path: Path) -> Iterator[TextIO]:
    """A file that is there when everything is written, and not before. Only its owner may read it.

    Something that is no regular file, such as a pipe, is written as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    with (
        replacing(path) as temporary,
        open(temporary, "x", encoding="utf-8", newline="", opener=owner_only) as file,
    ):
        yield file


def write_csv(members: Iterable[Member], fields: Sequence[str], file: TextIO) -> int:
    """Write members as CSV (RFC 4180, but for plain line ends); returns how many.

    A cell that a spreadsheet would run as a formula gets an apostrophe (see `formula_guard`).
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(guard(name) for name in (*_COLUMNS, *fields))
    written = 0
    for member in members:
        cells = _cells(member)
        cells += [member.subscriber.fields.get(name, "") for name in fields]
        writer.writerow(guard(cell) for cell in cells)
        written += 1
    return written


def write_jsonl(members: Iterable[Member], file: TextIO) -> int:
    """Write members as JSON Lines; returns how many."""
    written = 0
    for member in members:
        own = dict(zip(_COLUMNS, _cells(member), strict=True)) | {"topics": list(member.topics)}
        values = own | dict(member.subscriber.fields)
        file.write(json.dumps(values, ensure_ascii=False) + "\n")
        written += 1
    return written


def _cells(member: Member) -> list[str]:
    person = member.subscriber
    return [
        person.email,
        person.name,
        person.language or "",
        person.timezone or "",
        topics_cell(member.topics),
        member.status.value,
        to_text(member.since),
        member.suppressed_because,
    ]
