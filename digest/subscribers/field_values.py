"""What we know of a reader besides the address: each value checked, and in its one form.

Every function takes what stands in a file or was typed, and raises SubscriberError for what it
cannot use; whether that costs the value or the whole row is the caller's decision.
"""

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Final

from digest.errors import SubscriberError
from digest.lib.language_tags import canonical
from digest.model.subscriber import MembershipStatus

_MOST_NAME = 200
_MOST_FIELD = 10_000
# Zero-width joiners are invisible, but Persian and Indic names and some emoji need them.
_JOINERS = "\u200c\u200d"
_ENCODED_WORD = re.compile(r"=\?[^?\s]*\?[^?\s]*\?")


def one_line(text: str) -> str:
    """The text on one line, as Unicode's NFC, without what is invisible or steers a terminal."""
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() or character in _JOINERS else " "
            for character in text
            # A format character vanishes; a control character may have been a line's end.
            if unicodedata.category(character) != "Cf" or character in _JOINERS
        )
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def name(text: str) -> str:
    """A person's name. Refused: a long one, and one that a mail header would decode.

    An encoded-word of RFC 2047 in a name can hold a line end, and with it a header of its own.
    """
    clean = one_line(text) if len(text) <= 10 * _MOST_NAME else text
    if len(clean) > _MOST_NAME:
        raise SubscriberError(f"a name of {len(clean):,} characters, expected at most {_MOST_NAME}")
    if "=?" in clean and _ENCODED_WORD.search(clean):
        raise SubscriberError(f"the name {clean[:60]!r} is an encoded mail header, expected a name")
    return clean


def field(text: str) -> str:
    """The text of one of the list's own fields; it may have several lines."""
    if len(text) > _MOST_FIELD:
        raise SubscriberError(f"{len(text):,} characters, expected at most {_MOST_FIELD:,}")
    if "\n" not in text and "\r" not in text:
        return one_line(text)
    return "\n".join(one_line(line) for line in text.splitlines()).strip()


@cache
def language(text: str) -> str:
    """A language tag (BCP 47) in its usual case, such as `pt` or `pt-BR`.

    Only the shape is checked: a reader may have a language that no newsletter speaks.
    """
    tag = canonical(text.strip())
    if tag is None:
        raise SubscriberError(f"the language {text[:40]!r}, expected a tag such as en or pt-BR")
    return tag


@cache
def timezone(text: str) -> str:
    """The name of a time zone, as the IANA database spells it."""
    known = _timezones().get(text.strip().casefold())
    if known is None:
        raise SubscriberError(f"the time zone {text[:40]!r}, expected one such as Europe/Lisbon")
    return known


@cache
def _timezones() -> dict[str, str]:
    from zoneinfo import available_timezones

    # "Factory" is a placeholder, "localtime" the machine's own.
    zones = available_timezones() - {"Factory", "localtime"}
    return {zone.casefold(): zone for zone in zones}


def topics(chosen: list[str]) -> tuple[str, ...]:
    """Topics in the reader's spelling, sorted, each once whatever its case."""
    kept: dict[str, str] = {}
    for text in chosen:
        if clean := name(text):
            kept.setdefault(clean.casefold(), clean)
    return tuple(kept[folded] for folded in sorted(kept))


_STATUSES: Final = {status.value: status for status in MembershipStatus} | {
    # The words of other programs' exports. A bounce is often a full mailbox or a filter, and not a
    # dead address: it ends the subscription, and does not bar the address for good.
    "subscribed": MembershipStatus.ACTIVE,
    "enabled": MembershipStatus.ACTIVE,
    "confirmed": MembershipStatus.ACTIVE,
    "unconfirmed": MembershipStatus.PENDING,
    "bounced": MembershipStatus.UNSUBSCRIBED,
    "cleaned": MembershipStatus.UNSUBSCRIBED,
    "blocklisted": MembershipStatus.SUPPRESSED,
    "complained": MembershipStatus.SUPPRESSED,
}


def status(text: str) -> MembershipStatus:
    """The state of a row; without one the reader is active."""
    if not text or text.isspace():
        return MembershipStatus.ACTIVE
    known = _STATUSES.get(text.strip().casefold())
    if known is None:
        raise SubscriberError(
            f"the state {text[:40]!r}, expected one of {', '.join(MembershipStatus)}"
        )
    return known


def reason_of(state: str) -> str:
    """Why somebody stands so, where another program's word for it says more than ours."""
    word = one_line(state).casefold()
    return "" if word in set(MembershipStatus) else word


def since(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """An ISO 8601 date or time that is not in the future; without a zone it is local to `zone`."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SubscriberError(f"since {text[:40]!r}, expected a date such as 2026-03-12") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    try:
        instant = instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise SubscriberError(f"since {text[:40]!r}, which is out of range") from None
    if instant > now:
        raise SubscriberError(f"since {text[:40]!r}, which is in the future")
    return instant
