"""Keys: random secrets of one newsletter's database, made with it."""

from digest.errors import LedgerError
from digest.storage.database import Database

_KEY = "select key from keys where name = ?"

#: What hashes of suppressed addresses are made with.
SUPPRESSIONS = "suppressions"
#: What authenticates the return path of a delivery (see `digest.composer.verp`).
BOUNCES = "bounces"


def key(db: Database, name: str) -> bytes:
    """The key of this name. Raises LedgerError if it was lost."""
    row = db.row(_KEY, (name,))
    if row is None:
        # Without its key every suppression, or every return path, would silently be forgotten.
        raise LedgerError(
            f"{db.path} has lost the key of its {name}",
            hint="Restore the table `keys` from a backup before anything is sent.",
        )
    return bytes(row["key"])
