"""Instants as we store and print them: UTC, whole seconds, ISO 8601 with a `Z`.

The form has a fixed width, so that comparing texts is comparing instants. SQLite and `--json`
share it.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_FORM = "%Y-%m-%dT%H:%M:%SZ"


@lru_cache(maxsize=64)
def to_text(instant: datetime) -> str:
    """The instant as `2026-03-12T07:00:00Z`; a fraction of a second is cut off.

    Raises ValueError for a naive datetime, because only its author knows which zone it meant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
    # strftime does not pad years below 1000 on every platform, and the width must be fixed.
    utc = instant.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return utc.isoformat() + "Z"


def from_text(text: str) -> datetime:
    """The inverse of `to_text`. Raises ValueError for any other form."""
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def optional_text(instant: datetime | None) -> str | None:
    """The instant as text; None for None."""
    return None if instant is None else to_text(instant)


def optional_time(text: str | None) -> datetime | None:
    """The inverse of `optional_text`; an empty text is None, too."""
    return from_text(text) if text else None


def next_second(instant: datetime) -> datetime:
    """The first whole second that is not before `instant`.

    An edition "now" takes it as its cutoff: what was stored in this very second is in reach.
    """
    whole = instant.replace(microsecond=0)
    return whole if whole == instant else whole + timedelta(seconds=1)
