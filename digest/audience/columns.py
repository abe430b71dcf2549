"""Which column holds what: a header, understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from digest.audience.particulars import one_line
from digest.errors import AudienceError

#: The columns that an export writes first, in this order.
OWN: Final = ("email", "name", "language", "timezone", "topics", "state", "since")
#: Why an address is suppressed; exported only where one is.
REASON: Final = "suppressed_because"

# The first that is there is the one that counts; another one is a field like any other.
_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "e mail", "email address", "e mail address", "address"),
    "name": ("name", "full name"),
    "first name": ("first name",),
    "last name": ("last name",),
    "language": ("language", "lang", "locale"),
    "timezone": ("timezone", "time zone"),
    "topics": ("topics",),
    "state": ("state", "status"),
    "since": ("since",),
    REASON: (REASON.replace("_", " "),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each of our columns is, by its place in the row; None where it is missing.

    `fields` are all other columns: the list's own.
    """

    width: int
    email: int
    name: int | None
    first_name: int | None
    last_name: int | None
    language: int | None
    timezone: int | None
    topics: int | None
    state: int | None
    since: int | None
    reason: int | None
    fields: tuple[tuple[str, int], ...]

    def fault_of(self, cells: Sequence[str]) -> str | None:
        """Why a row does not fit under this header, or None. A row may end early, in most cases."""
        if len(cells) > self.width and any(cells[self.width :]):
            return (
                f"{len(cells)} values under {self.width} columns:"
                " is there a text with the delimiter in it, and without quotation marks?"
            )
        if self.state is not None and len(cells) <= self.state:
            # Without its state this row would make somebody active who may have left.
            return f"{len(cells)} values under {self.width} columns, and the state is missing"
        return None


def has_email(header: Sequence[str]) -> bool:
    """Whether one of the columns holds addresses."""
    return not set(_ALIASES["email"]).isdisjoint(_folded(name) for name in header)


@lru_cache(maxsize=256)
def _of(header: tuple[str, ...]) -> Columns:
    names = [_folded(name) for name in header]
    found: dict[str, int] = {}
    for ours, aliases in _ALIASES.items():
        here = next((alias for alias in aliases if alias in names), None)
        if here is None:
            continue
        if names.count(here) > 1:
            raise AudienceError(f"two columns are called {here!r}, expected each name once")
        found[ours] = names.index(here)
    if "name" in found:
        found.pop("first name", None)
        found.pop("last name", None)
    return Columns(
        width=len(header),
        email=found["email"],
        name=found.get("name"),
        first_name=found.get("first name"),
        last_name=found.get("last name"),
        language=found.get("language"),
        timezone=found.get("timezone"),
        topics=found.get("topics"),
        state=found.get("state"),
        since=found.get("since"),
        reason=found.get(REASON),
        fields=_fields(header, taken=set(found.values())),
    )


def of(header: Sequence[str]) -> Columns:
    """Understand a header that `has_email`. Raises AudienceError where two columns share a name."""
    return _of(tuple(header))


def _fields(header: Sequence[str], *, taken: set[int]) -> tuple[tuple[str, int], ...]:
    fields: dict[str, int] = {}
    for place, title in enumerate(header):
        name = one_line(title)
        if place in taken or not name:
            continue
        if name in fields:
            raise AudienceError(f"two columns are called {name!r}, expected each name once")
        fields[name] = place
    return tuple(fields.items())


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
