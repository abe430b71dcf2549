"""Sources: where each was last read, the validators of its server, and its failures."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from digest.lib.timestamps import to_text
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A source as the last reading left it. `last_new_at` is when it last had a new article.

    `last_error` was at `last_error_at`; the first of these errors was at `failing_since`.
    """

    name: str
    location: str
    etag: str | None
    last_modified: str | None
    last_read_at: datetime | None
    last_new_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    failing_since: datetime | None


_ALL = "select * from sources order by name"


def records(db: Database) -> tuple[SourceRecord, ...]:
    """Every source that was ever read or tried, by name."""
    return db.values(SourceRecord, _ALL)


def find(db: Database, name: str) -> SourceRecord | None:
    """The record of one source."""
    return next((record for record in records(db) if record.name == name), None)


_RECORD_READING = """
insert into sources (name, location, etag, last_modified, last_read_at, last_new_at)
values (:name, :location, :etag, :last_modified, :now, iif(:found_new, :now, null))
on conflict (name) do update
set location = :location, etag = :etag, last_modified = :last_modified, last_read_at = :now,
    last_new_at = coalesce(excluded.last_new_at, last_new_at), last_error = null,
    last_error_at = null, failing_since = null
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
insert into sources (name, location, last_error, last_error_at, failing_since)
values (:name, :location, :error, :now, :now)
on conflict (name) do update
set last_error = :error, last_error_at = :now, failing_since = coalesce(failing_since, :now),
    etag = iif(location = :location, etag, null),
    last_modified = iif(location = :location, last_modified, null),
    location = :location
"""


def record_failure(db: Database, name: str, location: str, *, error: str, now: datetime) -> None:
    """The source could not be read at `now`; when it last could be stays as it is."""
    db.execute(
        _RECORD_FAILURE,
        {"name": name, "location": location, "error": error, "now": to_text(now)},
    )


#: So long the days are kept from which the habit of a source is known.
_HABIT: Final = timedelta(days=400)

_RECORD_DAY = "insert into source_days (source, day) values (?, ?) on conflict do nothing"
_FORGET_DAYS = "delete from source_days where source = ? and day < ?"


def record_days(db: Database, name: str, days: Iterable[date], *, now: datetime) -> None:
    """The source had something new on these days; those long past or to come are left out."""
    oldest, today = (now - _HABIT).date(), now.date()
    with db.transaction():
        db.connection.executemany(
            _RECORD_DAY,
            [(name, day.isoformat()) for day in sorted(set(days)) if oldest <= day <= today],
        )
        db.execute(_FORGET_DAYS, (name, oldest.isoformat()))


_DAYS = "select day from source_days where source = ? order by day"


def days(db: Database, name: str) -> tuple[date, ...]:
    """The days (UTC) on which the source had something new, for somewhat more than a year."""
    return tuple(date.fromisoformat(row["day"]) for row in db.rows(_DAYS, (name,)))
