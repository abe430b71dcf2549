"""What the owner is told of sources."""

from datetime import datetime
from zoneinfo import ZoneInfo

from digest.lib.timestamps import to_text
from digest.publishing.notices.layout import at, days, paragraphs, sentence
from digest.publishing.notices.silence import Silence
from digest.storage.notifications import Notice
from digest.storage.sources import SourceRecord


def broken(record: SourceRecord, *, since: datetime, zone: ZoneInfo) -> Notice:
    """A source could not be read for a while."""
    error = (record.last_error or "").partition(" ")[2]
    before = (
        f"It was last read at {at(zone, record.last_read_at)}."
        if record.last_read_at
        else "It could never be read so far."
    )
    return Notice(
        event=f"broken {record.name} {to_text(since)}",
        subject=f"The source {record.name} cannot be read",
        body=paragraphs(
            f"The source {record.name} could not be read since {at(zone, since)}. {before}"
            " Its articles are missing from the editions.",
            f"Why: {sentence(error)}",
            "What to do: see whether its address still leads to it, and correct digest.toml if it"
            " has moved; `digest ingest` with its name tries it at once.",
        ),
    )


def silent(record: SourceRecord, found: Silence) -> Notice:
    """A source can be read, and has had nothing new for longer than it is its habit."""
    last = to_text(record.last_new_at) if record.last_new_at else ""
    return Notice(
        event=f"silent {record.name} {last}",
        subject=f"The source {record.name} has fallen silent",
        body=paragraphs(
            f"The source {record.name} can be read, and had no new article for"
            f" {days(found.lasting)}; its longest pause so far was {days(found.longest)}.",
            "What to do: look whether it goes on at another address, or has ended.",
        ),
    )
