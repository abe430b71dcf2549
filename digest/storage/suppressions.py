"""Addresses that must never be mailed.

Each is kept as a keyed hash (HMAC-SHA256, RFC 2104), and beside it the address itself, for the
editor. Of somebody who was erased only the hash stays: the address can still be recognised, and not
be read, unless one has the key as well and tries all addresses. The keys are random secrets of one
database, made with it.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime

from digest.errors import LedgerError
from digest.lib.timestamps import to_text
from digest.storage.database import Database

_KEY = "select key from keys where name = ?"

#: The key for the hashes of suppressed addresses.
SUPPRESSIONS = "suppressions"
#: The key that authenticates the return path of a delivery (see `digest.lib.verp`).
BOUNCES = "bounces"


def key(db: Database, name: str) -> bytes:
    """The key of this name. Raises LedgerError if it was lost."""
    secret = db.scalar(_KEY, (name,))
    if secret is None:
        # Without its key every suppression, or every return path, would silently be forgotten.
        raise LedgerError(
            f"the key {name!r} is missing from {db.path}",
            hint="Restore the table `keys` from a backup before anything is sent.",
        )
    return bytes(secret)


_HASHES = "select hash from suppressions"


@dataclass(frozen=True, slots=True)
class SuppressedAddresses:
    """The suppressed addresses, to be asked with `in`. Case does not matter."""

    key: bytes
    hashes: frozenset[bytes]

    def __contains__(self, email: str) -> bool:
        # Most lists have no suppressions at all: they are spared the hashing.
        return bool(self.hashes) and _hash(self.key, email) in self.hashes


def suppressed_addresses(db: Database) -> SuppressedAddresses:
    """All suppressed addresses at this moment, erased ones included."""
    return SuppressedAddresses(
        key(db, SUPPRESSIONS), frozenset(row["hash"] for row in db.rows(_HASHES))
    )


_REASON = "select reason, since from suppressions where hash = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Why an address must never be mailed, and since when."""

    reason: str
    since: datetime


def find(db: Database, email: str) -> Suppression | None:
    """The suppression of an address, or None."""
    return db.value(Suppression, _REASON, (_hash(key(db, SUPPRESSIONS), email),))


_SUPPRESS = """
insert into suppressions (hash, email, reason, since) values (?, ?, ?, ?)
on conflict do nothing
"""


def suppress(db: Database, email: str, *, reason: str, since: datetime) -> bool:
    """Keep an address from ever being mailed. False if it already was; the first reason stays."""
    done = db.execute(
        _SUPPRESS, (_hash(key(db, SUPPRESSIONS), email), email, reason, to_text(since))
    )
    return done.rowcount > 0


_ERASED = "select count(*) from suppressions where email is null"


def count_erased(db: Database) -> int:
    """How many addresses are known by their hash only."""
    return int(db.scalar(_ERASED))


def _hash(key: bytes, email: str) -> bytes:
    return hmac.digest(key, email.lower().encode(), "sha256")
