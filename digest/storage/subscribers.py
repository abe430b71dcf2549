"""Subscribers, each address once whatever its case, and their receipts of consent.

Receipts are only added: triggers abort every change and every deletion of one.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from digest.lib.timestamps import to_text
from digest.model.subscriber import Consent, EditionReceived, Subscriber
from digest.storage.database import Database

_RECORD = """
insert into consents (subscriber_id, newsletter, action, wording, origin, at)
values (?, ?, ?, ?, ?, ?)
"""


def record_consents(db: Database, receipts: Iterable[Consent]) -> None:
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


def consents_of(db: Database, subscriber_id: int) -> tuple[Consent, ...]:
    """Every receipt of a person, the oldest first."""
    return db.values(Consent, _OF, (subscriber_id,))


_FIND = "select id, email, name, language, timezone, fields from subscribers where email = ?"


def find(db: Database, email: str) -> Subscriber | None:
    """The person with this address, or None."""
    return db.value(Subscriber, _FIND, (email,))


_NEXT_ID = "select coalesce(max(id), 0) + 1 from subscribers"


def next_id(db: Database) -> int:
    """The id for the next new person; it is free as long as the caller's transaction lasts."""
    return int(db.scalar(_NEXT_ID))


_INSERT = """
insert into subscribers (id, email, name, language, timezone, fields, created_at)
values (?, ?, ?, ?, ?, ?, ?)
"""


def insert(db: Database, people: Iterable[Subscriber], *, at: datetime) -> None:
    """Add people, with ids counted from `next_id` in the same transaction."""
    created = to_text(at)
    db.connection.executemany(
        _INSERT,
        ((p.id, p.email, p.name, p.language, p.timezone, _fields(p), created) for p in people),
    )


_UPDATE = """
update subscribers set name = ?, language = ?, timezone = ?, fields = ? where id = ?
"""


def update(db: Database, people: Iterable[Subscriber]) -> None:
    """Change what we know of people; id and address stay."""
    db.connection.executemany(
        _UPDATE,
        ((p.name, p.language, p.timezone, _fields(p), p.id) for p in people),
    )


def _fields(person: Subscriber) -> str:
    return json.dumps(dict(person.fields), ensure_ascii=False) if person.fields else "{}"


_RECEIVED = """
select e.newsletter, e.number, d.state, coalesce(d.reply, '') as reply, d.finished_at
from deliveries d join editions e on e.id = d.edition_id
where d.subscriber_id = ?
order by e.newsletter, e.number
"""


def editions_received(db: Database, subscriber_id: int) -> tuple[EditionReceived, ...]:
    """What became of every edition for this person."""
    return db.values(EditionReceived, _RECEIVED, (subscriber_id,))
