"""Which column holds what: a header, understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from digest.errors import SubscriberError, UsageError
from digest.lib.text import nearest
from digest.subscribers.field_values import one_line

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
    "suppressed because": ("suppressed because",),
}

#: What the owner of a list calls our columns: our name, folded, and the title in the file.
ColumnTitles = tuple[tuple[str, str], ...]


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
    suppressed_because: int | None
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


def column_titles(titles: Mapping[str, str]) -> ColumnTitles:
    """What a file calls our columns, such as `{"name": "Vorname"}`, understood.

    Raises UsageError for a column of ours that there is not.
    """
    for name in titles:
        if _folded(name) not in _ALIASES:
            known = [ours.replace(" ", "_") for ours in _ALIASES]
            suggestion = nearest(name, known, fold=_folded)
            raise UsageError(
                f"--column: found {name!r}, expected one of {', '.join(known)}",
                hint=f"Did you mean {suggestion}?" if suggestion else None,
            )
    return tuple((_folded(name), title) for name, title in titles.items())


def has_email(header: Sequence[str], titles: ColumnTitles = ()) -> bool:
    """Whether one of the columns holds addresses."""
    renamed = {_folded(title) for ours, title in titles if ours == "email"}
    return not (renamed or set(_ALIASES["email"])).isdisjoint(_folded(name) for name in header)


@lru_cache(maxsize=256)
def _of(header: tuple[str, ...], titles: ColumnTitles) -> Columns:
    names = [_folded(name) for name in header]
    renamed = {ours: (_folded(title),) for ours, title in titles}
    places: dict[str, int] = {}
    for ours, usual in _ALIASES.items():
        aliases = renamed.get(ours, usual)
        title = next((alias for alias in aliases if alias in names), None)
        if title is None:
            continue
        if names.count(title) > 1:
            raise SubscriberError(f"two columns are called {title!r}, expected each name once")
        places[ours] = names.index(title)
    if "name" in places and renamed.keys() & {"first name", "last name"} and "name" not in renamed:
        del places["name"]
    if "name" in places:
        places.pop("first name", None)
        places.pop("last name", None)
    return Columns(
        width=len(header),
        email=places["email"],
        fields=_fields(header, taken=set(places.values())),
        **{ours.replace(" ", "_"): places.get(ours) for ours in _ALIASES if ours != "email"},
    )


def of(header: Sequence[str], titles: ColumnTitles = ()) -> Columns:
    """Understand a header that `has_email`. Raises SubscriberError for two columns of one name."""
    return _of(tuple(header), titles)


def missing(header: Sequence[str], titles: ColumnTitles) -> str | None:
    """The first title that was given and is not in the header, as it was written."""
    names = {_folded(name) for name in header}
    return next((title for _, title in titles if _folded(title) not in names), None)


def _fields(header: Sequence[str], *, taken: set[int]) -> tuple[tuple[str, int], ...]:
    fields: dict[str, int] = {}
    for place, title in enumerate(header):
        name = one_line(title)
        if place in taken or not name:
            continue
        if name in fields:
            raise SubscriberError(f"two columns are called {name!r}, expected each name once")
        fields[name] = place
    return tuple(fields.items())


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
