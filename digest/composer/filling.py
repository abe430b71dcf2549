"""Filling: a reader's values as bytes for the places where they stand.

Nearly all values are short, plain ASCII that no encoding changes. One look tells, and then the
bytes are there; everything else goes the careful way. Both ways make the same bytes.
"""

import html
import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from digest.composer import headers, quoted
from digest.lib.email_address import mailable
from digest.lib.text import plain

# A name that is atoms, and an address that is a dot-atom at a domain in small letters.
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
)
# Printable ASCII that stays as it is: in words with one space between them, nothing that HTML or
# quoted-printable writes otherwise, and no beginning that mail programs take for something else.
_CLEAN: Final = re.compile(r"(?!\.|From )[!#-%(-;?-~]+(?: [!#-%(-;?-~]+)*")

_TO: Final = len("To:  <>")


def to_field(name: str, email: str) -> bytes:
    """The field To. Raises AudienceError for an address that no header can carry."""
    if (
        len(name) + len(email) <= headers.LINE - _TO
        and _ADDRESS.fullmatch(email)
        and (not name or _NAME.fullmatch(name))
    ):
        return (f"To: {name} <{email}>\r\n" if name else f"To: {email}\r\n").encode("ascii")
    return headers.mailbox_field("To", name, mailable(email))


def text_and_html(value: str) -> tuple[bytes, bytes]:
    """A value for a slot of either part, as whole lines of quoted-printable.

    In HTML it may stand between tags and in an attribute with quotation marks of either kind.
    """
    if not value:
        return b"", b""
    if _CLEAN.fullmatch(value):
        same = quoted.short_value(value) if len(value) < quoted.LINE else quoted.encode_value(value)
        return same, same
    text = plain(value)
    page = html.escape(text)
    encoded = quoted.encode_value(text)
    return encoded, encoded if page == text else quoted.encode_value(page)


def date_field(moment: datetime, zone: ZoneInfo) -> bytes:
    """The field Date, in the zone's own time."""
    return _date_field(int(moment.timestamp()), zone)


@lru_cache(maxsize=64)
def _date_field(second: int, zone: ZoneInfo) -> bytes:
    date = format_datetime(datetime.fromtimestamp(second, zone))
    return headers.structured_field("Date", [date])
