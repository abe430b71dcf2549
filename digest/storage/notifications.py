"""Notifications: what the owner of a newsletter was told, or is to be told, once for each event."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.errors import Superseded
from digest.lib.timestamps import to_text
from digest.storage.database import Database
from digest.storage.rows import from_row, to_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One event. `event` identifies it: the same state of the database has the same name.

    `subject` is one line; `body` says what happened and what to do, with a line feed after each
    line. Neither contains an address of a reader.
    """

    event: str
    subject: str
    body: str


_IS_RECORDED = "select 1 from notices where event = ?"


def is_recorded(db: Database, event: str) -> bool:
    """Whether this event is recorded."""
    return db.row(_IS_RECORDED, (event,)) is not None


_ADD = """
insert into notices (event, subject, body, since) values (:event, :subject, :body, :now)
on conflict do nothing
"""


def add(db: Database, notice: Notification, now: datetime) -> bool:
    """Record an event; False if it is there already."""
    return db.execute(_ADD, to_row(notice) | {"now": to_text(now)}).rowcount > 0


_UNTOLD = """
select event, subject, body, tries from notices
where told_at is null and since > :since and ifnull(next_try_at <= :now, true)
order by since, event
"""

_CLAIM = "update notices set tries = tries + 1, next_try_at = ? where event = ?"


def claim(
    db: Database, now: datetime, *, since: datetime, wait: Callable[[int], timedelta]
) -> tuple[Notification, ...]:
    """Take what was recorded after `since` and is to be mailed now.

    After so many tries, `wait` says how long no other process takes it: the caller has so long to
    mail it, and it is tried again after that if it was not told.
    """
    with db.transaction():
        rows = db.rows(_UNTOLD, {"since": to_text(since), "now": to_text(now)})
        for row in rows:
            db.execute(_CLAIM, (to_text(now + wait(row["tries"] + 1)), row["event"]))
    return tuple(from_row(Notification, row) for row in rows)


_TOLD = "update notices set told_at = ? where event = ? and told_at is null"


def mark_told(db: Database, notices: Sequence[Notification], now: datetime) -> None:
    """Record that these are told. Raises Superseded if another process has told one of them."""
    with db.transaction():
        for notice in notices:
            if not db.execute(_TOLD, (to_text(now), notice.event)).rowcount:
                raise Superseded(f"another process has already notified the owner: {notice.event}")


_UNTELL = "update notices set told_at = null where event = ?"


def unmark_told(db: Database, notices: Iterable[Notification]) -> None:
    """Record that these were not told after all."""
    with db.transaction():
        for notice in notices:
            db.execute(_UNTELL, (notice.event,))
