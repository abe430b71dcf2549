"""A list of readers -> the database: it adds people or takes them out, and never brings one back.

Everything is one transaction: an error or Ctrl-C leaves the list as it was.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from digest.errors import SubscriberError
from digest.model.subscriber import Subscriber, Subscription
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database
from digest.subscribers import import_row
from digest.subscribers.changes import ChangeContext, SubscriberChanges
from digest.subscribers.columns import Columns
from digest.subscribers.import_policy import RANK, ImportResult, decide, status_of
from digest.subscribers.import_row import ImportedReader
from digest.subscribers.list_file import BadRow, ListRow

_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRemark:
    """Something to tell about a line of the file."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadList:
    """What a file says: each address once, in the order of its first row.

    `notes` are values that were left out, `duplicates` rows whose address was there before, and
    `fields` the names of the columns that are none of ours, and are kept as fields of the list.
    """

    readers: Sequence[ImportedReader]
    rejected: Sequence[ImportRemark] = ()
    notes: Sequence[ImportRemark] = ()
    duplicates: Sequence[ImportRemark] = ()
    fields: Sequence[str] = ()


def read_list(rows: Iterable[ListRow | BadRow], *, now: datetime, zone: tzinfo) -> ReadList:
    """Understand the rows of a file. A row that cannot be used is told, and the rest is used.

    Where an address comes twice the first row counts, except that the lower of the states does:
    whoever left in any row has left.
    """
    readers: dict[str, ImportedReader] = {}
    rejected: list[ImportRemark] = []
    notes: list[ImportRemark] = []
    duplicates: list[ImportRemark] = []
    fields: dict[str, None] = {}
    header: Columns | None = None
    for row in rows:
        if isinstance(row, BadRow):
            rejected.append(ImportRemark(line=row.line, text=row.reason))
            continue
        if row.columns is not header:  # the rows of a CSV share theirs
            header = row.columns
            fields |= dict.fromkeys(name for name, _ in header.fields)
        try:
            reader = import_row.read(row.line, row.columns, row.cells, now=now, zone=zone)
        except SubscriberError as error:
            rejected.append(ImportRemark(line=row.line, text=error.message))
            continue
        notes.extend(
            ImportRemark(line=reader.line, text=f"{reader.email}: {text}") for text in reader.notes
        )
        first = readers.setdefault(reader.email.lower(), reader)
        if first is not reader:
            duplicates.append(
                ImportRemark(line=reader.line, text=f"{reader.email}: already in line {first.line}")
            )
            if RANK[reader.status] > RANK[first.status]:
                first.status, first.reason = reader.status, reader.reason
    return ReadList(
        readers=list(readers.values()),
        rejected=rejected,
        notes=notes,
        duplicates=duplicates,
        fields=tuple(fields),
    )


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do. `left` are those who stay as they were, and how they are."""

    results: dict[ImportResult, int] = field(default_factory=lambda: dict.fromkeys(ImportResult, 0))
    left: list[ImportRemark] = field(default_factory=list)


def import_readers(
    db: Database,
    readers: Sequence[ImportedReader],
    context: ChangeContext,
    *,
    dry_run: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Bring the list of `context.newsletter` up to what a file says: all of it, or nothing.

    `on_progress` is told how many readers are done, from within the transaction. A dry run decides
    by the same code and writes nothing.
    """
    report = ImportReport()
    with nullcontext() if dry_run else db.transaction():
        for start in range(0, len(readers), _BATCH):
            batch = readers[start : start + _BATCH]
            changes = _plan(db, batch, context, report)
            if not dry_run:
                changes.write(db)
            on_progress(start + len(batch))
    return report


def _plan(
    db: Database,
    batch: Sequence[ImportedReader],
    context: ChangeContext,
    report: ImportReport,
) -> SubscriberChanges:
    known_readers = subscriptions.find_many(
        db, context.newsletter, [reader.email for reader in batch]
    )
    blocked = suppressions.suppressed_addresses(db)
    changes = SubscriberChanges(context, next_id=subscribers.next_id(db))
    for reader in batch:
        known = known_readers.get(reader.email.lower())
        subscription = known if isinstance(known, Subscription) else None
        suppressed = reader.email in blocked
        result = decide(reader, subscription, suppressed=suppressed)
        report.results[result] += 1
        match result:
            case ImportResult.ADDED:
                changes.add(reader, known if isinstance(known, Subscriber) else None)
            case ImportResult.UPDATED if subscription is not None:
                changes.update(reader, subscription)
            case ImportResult.TAKEN_OUT if subscription is not None:
                changes.take_out(reader, subscription)
            case ImportResult.TAKEN_OUT:
                # Whoever is not on the list, and has left or is suppressed, is kept as that.
                changes.add(reader, known if isinstance(known, Subscriber) else None)
            case ImportResult.LEFT:
                status = status_of(subscription, suppressed=suppressed)
                report.left.append(ImportRemark(line=reader.line, text=f"{reader.email}: {status}"))
            case _:
                pass
    return changes
