"""Subscribers, each address once whatever its case, and their receipts of consent.

Receipts are only added: triggers abort every change and every deletion of one.
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from digest.lib.timestamps import from_text, optional_time, to_text
from digest.model.subscriber import Action, Consent, EditionReceived, Subscriber
from digest.storage.database import Database

_RECORD = """
insert into consents (subscriber_id, newsletter, action, wording, origin, at)
values (?, ?, ?, ?, ?, ?)
"""


def record(db: Database, receipts: Iterable[Consent]) -> None:
    """Add receipts, inside the transaction that makes the change they are for."""
    moment = cache(to_text)
    db.connection.executemany(
        _RECORD,
        (
            (
                receipt.subscriber_id,
                receipt.newsletter,
                receipt.action.value,
                receipt.wording,
                receipt.origin,
                moment(receipt.at),
            )
            for receipt in receipts
        ),
    )


_OF = """
select subscriber_id, newsletter, action, wording, origin, at
from consents
where subscriber_id = ?
order by id
"""


def of(db: Database, subscriber_id: int) -> tuple[Consent, ...]:
    """Every receipt of a person, the oldest first."""
    return tuple(consent_of(row) for row in db.rows(_OF, (subscriber_id,)))


def consent_of(row: sqlite3.Row) -> Consent:
    """The receipt in a row of `consents`."""
    return Consent(
        subscriber_id=row["subscriber_id"],
        newsletter=row["newsletter"],
        action=Action(row["action"]),
        wording=row["wording"],
        origin=row["origin"],
        at=from_text(row["at"]),
    )


_FIND = "select id, email, name, language, timezone, fields from subscribers where email = ?"


def find(db: Database, email: str) -> Subscriber | None:
    """The person with this address, or None."""
    row = db.row(_FIND, (email,))
    return subscriber_of(row) if row else None


def subscriber_of(row: sqlite3.Row) -> Subscriber:
    """The person in a row with the columns of `subscribers`."""
    return Subscriber(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        language=row["language"],
        timezone=row["timezone"],
        fields={} if row["fields"] == "{}" else json.loads(row["fields"]),
    )


_NEXT_ID = "select coalesce(max(id), 0) + 1 from subscribers"


def next_id(db: Database) -> int:
    """The id for the next new person; it is free as long as the caller's transaction lasts."""
    row = db.row(_NEXT_ID)
    return int(row[0]) if row else 1


_INSERT = """
insert into subscribers (id, email, name, language, timezone, fields, created_at)
values (?, ?, ?, ?, ?, ?, ?)
"""


def insert(db: Database, people: Iterable[Subscriber], *, at: datetime) -> None:
    """Add people, with ids counted from `next_id` in the same transaction."""
    created = to_text(at)
    db.connection.executemany(
        _INSERT,
        (
            (
                one.id,
                one.email,
                one.name,
                one.language,
                one.timezone,
                _fields(one),
                created,
            )
            for one in people
        ),
    )


_UPDATE = """
update subscribers set name = ?, language = ?, timezone = ?, fields = ? where id = ?
"""


def update(db: Database, people: Iterable[Subscriber]) -> None:
    """Change what we know of people; id and address stay."""
    db.connection.executemany(
        _UPDATE,
        ((one.name, one.language, one.timezone, _fields(one), one.id) for one in people),
    )


def _fields(one: Subscriber) -> str:
    return json.dumps(dict(one.fields), ensure_ascii=False) if one.fields else "{}"


_RECEIVED = """
select e.newsletter, e.number, d.state, coalesce(d.reply, '') as reply, d.finished_at
from deliveries d join editions e on e.id = d.edition_id
where d.subscriber_id = ?
order by e.newsletter, e.number
"""


def received(db: Database, subscriber_id: int) -> tuple[EditionReceived, ...]:
    """What became of every edition for this person."""
    return tuple(
        EditionReceived(
            newsletter=row["newsletter"],
            number=row["number"],
            state=row["state"],
            reply=row["reply"],
            finished_at=optional_time(row["finished_at"]),
        )
        for row in db.rows(_RECEIVED, (subscriber_id,))
    )
