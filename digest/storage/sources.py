"""What is remembered of each source: where it was, what its server said, and how it went."""

from dataclasses import dataclass
from datetime import datetime

from digest.model.instant import from_text, to_text
from digest.storage.connection import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A source as the last reading left it. `last_new_at` is when it last had a new article."""

    name: str
    location: str
    etag: str | None
    last_modified: str | None
    last_read_at: datetime | None
    last_new_at: datetime | None
    last_error: str | None


_ALL = """
select name, location, etag, last_modified, last_read_at, last_new_at, last_error
from sources
order by name
"""


def everything(db: Database) -> tuple[SourceRecord, ...]:
    """Every source that has ever been read, by name."""
    return tuple(
        SourceRecord(
            name=row["name"],
            location=row["location"],
            etag=row["etag"],
            last_modified=row["last_modified"],
            last_read_at=from_text(row["last_read_at"]) if row["last_read_at"] else None,
            last_new_at=from_text(row["last_new_at"]) if row["last_new_at"] else None,
            last_error=row["last_error"],
        )
        for row in db.rows(_ALL)
    )


def find(db: Database, name: str) -> SourceRecord | None:
    """What is remembered of one source."""
    return next((record for record in everything(db) if record.name == name), None)


_RECORD_READING = """
insert into sources (name, location, etag, last_modified, last_read_at, last_new_at)
values (:name, :location, :etag, :last_modified, :now, iif(:found_new, :now, null))
on conflict (name) do update
set location = :location, etag = :etag, last_modified = :last_modified, last_read_at = :now,
    last_new_at = coalesce(excluded.last_new_at, last_new_at), last_error = null
"""


def record_reading(
    db: Database,
    name: str,
    location: str,
    *,
    etag: str | None,
    last_modified: str | None,
    found_new: bool,
    now: datetime,
) -> None:
    """The source was read at `now`."""
    db.execute(
        _RECORD_READING,
        {
            "name": name,
            "location": location,
            "etag": etag,
            "last_modified": last_modified,
            "found_new": found_new,
            "now": to_text(now),
        },
    )


_RECORD_FAILURE = """
insert into sources (name, location, last_error)
values (:name, :location, :error)
on conflict (name) do update
set last_error = :error,
    etag = iif(location = :location, etag, null),
    last_modified = iif(location = :location, last_modified, null),
    location = :location
"""


def record_failure(db: Database, name: str, location: str, *, error: str, now: datetime) -> None:
    """The source could not be read at `now`; when it last could be stays as it is."""
    db.execute(
        _RECORD_FAILURE,
        {"name": name, "location": location, "error": f"{to_text(now)} {error}"},
    )
