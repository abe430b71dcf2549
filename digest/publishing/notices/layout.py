"""How a notice is set: short paragraphs, indented lines, days and hours as people say them."""

import re
from datetime import datetime, timedelta
from textwrap import fill
from typing import Final
from zoneinfo import ZoneInfo

from digest.lib.formatting import in_words
from digest.lib.text import plain
from digest.model.slot import Slot

_WIDTH: Final = 72

#: What looks like an address may be a reader's; a server's replies are full of them.
_ADDRESS: Final = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def when(slot: Slot) -> str:
    """The slot's wall time, as in `Thursday 12 March 07:00`."""
    return f"{slot.wall:%A} {slot.wall.day} {slot.wall:%B %H:%M}"


def at(zone: ZoneInfo, instant: datetime) -> str:
    """An instant in the time of a zone, as in `07:00 on Thursday 12 March`."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}"


def readers_do(number: int) -> str:
    """The beginning of a sentence about what so many readers do, or do not."""
    return "One reader does" if number == 1 else f"{number:,} readers do"


def days(span: timedelta) -> str:
    """A span in whole days, where it has at least two."""
    return in_words(timedelta(days=span.days) if span >= timedelta(days=2) else span)


def sentence(reason: str) -> str:
    """A reason as one sentence or more, without anybody's address."""
    text = plain(_ADDRESS.sub("(an address)", reason)).rstrip(".")
    return f"{text or 'no reason was given'}."


def paragraphs(*texts: str) -> str:
    """Texts as paragraphs with an empty line between them."""
    return joined(*map(paragraph, texts))


def paragraph(text: str) -> str:
    """A text on lines of at most 72 characters."""
    return fill(plain(text), _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def lines(*each: str) -> str:
    """Lines that stand as they are, indented."""
    return "".join(f"  {line}\n" for line in each)


def joined(*parts: str) -> str:
    """Parts with an empty line between them; each of them ends with a line end."""
    return "\n".join(parts)
