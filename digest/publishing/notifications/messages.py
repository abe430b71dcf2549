"""The texts of the notifications: one function for each event, then their layout.

They are short, and say what happened and what to do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import fill
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from digest.lib.formatting import in_words
from digest.lib.text import plain, shorten
from digest.lib.timestamps import to_text
from digest.model.delivery import WAITING_DELIVERIES, DeliveryState, count_in
from digest.model.draft import Draft
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence
from digest.model.slot import Slot, SlotRecord
from digest.storage.editions import EditionSummary
from digest.storage.notifications import Notification
from digest.storage.sources import SourceRecord

_WIDTH: Final = 72

#: What looks like an address may be a reader's; the replies of servers contain many.
_ADDRESS: Final = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def skipped(newsletter: Newsletter, record: SlotRecord) -> Notification:
    """A slot has no edition, for a reason that is no failure."""
    day = when(record.slot)
    return Notification(
        event=event_of("skipped", record.slot),
        subject=f"{newsletter.title} had no edition on {day}",
        body=paragraphs(
            f"{newsletter.title} had no edition on {day}: {sentence(record.reason)}",
            "Its articles are considered again for the next edition, unless they are too old by"
            f" then. `digest plan {newsletter.key}` shows when that is.",
        ),
    )


def failed(newsletter: Newsletter, record: SlotRecord) -> Notification:
    """The edition of a slot could not be made in time."""
    day = when(record.slot)
    return Notification(
        event=event_of("failed", record.slot),
        subject=f"{newsletter.title} FAILED on {day}",
        body=paragraphs(
            f"The edition of {newsletter.title} for {day} could not be made, and is not tried"
            " again.",
            f"Why: {sentence(record.reason)}",
            "What to do: correct that (`digest check` finds most causes), then"
            f" `digest send {newsletter.key}` makes an edition at once. Otherwise the articles go"
            " into the next edition, unless they are too old by then.",
        ),
    )


def late(newsletter: Newsletter, record: SlotRecord) -> Notification:
    """A slot could not be given its edition yet; it is tried again."""
    day = when(record.slot)
    return Notification(
        event=event_of("late", record.slot),
        subject=f"{newsletter.title} is late: {day}",
        body=paragraphs(
            f"The edition of {newsletter.title} for {day} could not be made yet. It is tried"
            " again automatically.",
            f"Why: {sentence(record.reason)}",
            "What to do: nothing, if the cause goes away by itself; otherwise `digest check` says"
            " what to correct. You are told again only if the edition is given up.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """What is in a draft. `gone` counts the articles that can no longer be in it."""

    subject: str
    lead: str
    stories: int
    gone: int = 0


def draft_waits(newsletter: Newsletter, slot: Slot, contents: DraftSummary | None) -> Notification:
    """A draft waits for the editor; without `contents`, none of its articles can be in it."""
    day, key = when(slot), newsletter.key
    if contents is None:
        inside = paragraph("None of its articles can be in an edition any more.")
    else:
        inside = lines(
            f"Subject: {shorten(plain(contents.subject), 200)}",
            f"Lead: {shorten(plain(contents.lead), 200)}",
            f"Stories: {contents.stories}",
            *((f"Articles that can no longer be in it: {contents.gone}",) * bool(contents.gone)),
        )
    return Notification(
        event=event_of("draft", slot),
        subject=f"{newsletter.title}: a draft for {day} waits for your decision",
        body=joined(
            paragraph(
                f"The edition of {newsletter.title} for {day} ({newsletter.timezone}) is ready as"
                " a draft."
            ),
            inside,
            paragraph(f"If nobody decides by then, {_on_silence(newsletter)}."),
            lines(
                f"digest draft {key}    shows it as a text that you can edit",
                f"digest approve {key}    approves it as it is",
                f"digest hold {key}    holds it until you approve it",
                f"digest skip {key}    skips this edition",
            ),
        ),
    )


def held(newsletter: Newsletter, record: SlotRecord, draft: Draft) -> Notification:
    """The time of a draft has come, and it waits for somebody's decision."""
    day, key = when(record.slot), newsletter.key
    return Notification(
        event=f"{event_of('held', record.slot)} {draft.state} {to_text(draft.made_at)}",
        subject=f"{newsletter.title} is held: {day}",
        body=joined(
            paragraph(
                f"The edition of {newsletter.title} for {day} is held, and is not sent until you"
                " decide."
            ),
            paragraph(f"Why: {sentence(record.reason)}"),
            lines(
                f"digest draft {key}    shows it as it is now",
                f"digest approve {key}    approves it as it is now",
                f"digest skip {key}    skips this edition",
            ),
        ),
    )


def stopped(
    newsletter: Newsletter, edition: EditionSummary, counts: Mapping[DeliveryState, int]
) -> Notification:
    """Somebody stopped an edition, and readers wait for it."""
    waiting = count_in(counts, WAITING_DELIVERIES)
    since = edition.stopped_at or edition.created_at
    return Notification(
        event=f"stopped {newsletter.key} {edition.number} {to_text(since)}",
        subject=f"{newsletter.title} No. {edition.number} was stopped",
        body=paragraphs(
            f"{_name(newsletter, edition)} was stopped at {at(newsletter.timezone, since)}."
            f" {readers_do(waiting)} not have it yet, and no later edition goes out before it.",
            f"What to do: `digest resume {newsletter.key}` continues it.",
        ),
    )


def unknown(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, last: datetime
) -> Notification:
    """Nobody knows whether some readers have an edition; the owner decides."""
    key = newsletter.key
    readers = "one reader" if number == 1 else f"{number:,} readers"
    return Notification(
        event=f"unknown {key} {edition.number} {to_text(last)}",
        subject=f"{newsletter.title} No. {edition.number}: {readers} may or may not have it",
        body=joined(
            paragraph(
                f"The connection broke after {_name(newsletter, edition)} was handed over and"
                f" before the mail server replied: {readers} may or may not have it. They are not"
                " mailed again unless you decide so."
            ),
            lines(
                f"digest status {key}    lists them",
                f"digest resume {key} --unknown resend    mails them again; some may get it twice",
                f"digest resume {key} --unknown drop    does not; some may not have it",
            ),
        ),
    )


def stuck(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, since: datetime
) -> Notification:
    """Deliveries are due, and there was no progress for long: the mail server is at fault."""
    return Notification(
        event=f"stuck {newsletter.key} {edition.number}",
        subject=f"{newsletter.title} No. {edition.number} makes no progress",
        body=paragraphs(
            f"{readers_do(number)} not have {_name(newsletter, edition)}, and no message of it was"
            f" accepted since {at(newsletter.timezone, since)}. It is tried again automatically,"
            " and nobody gets it twice.",
            "What to do: `digest check` tests the mail server;"
            f" `digest status {newsletter.key}` shows the state of the edition.",
        ),
    )


def rejected(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, of: int, codes: str
) -> Notification:
    """So many messages were rejected that the cause is hardly the readers."""
    return Notification(
        event=f"rejected {newsletter.key} {edition.number}",
        subject=f"{newsletter.title} No. {edition.number}: {number:,} of {of:,} were rejected",
        body=paragraphs(
            f"{number:,} of {of:,} messages of {_name(newsletter, edition)} were rejected"
            f"{f', most often with {codes}' if codes else ''}. So many at once are rarely due to"
            " the readers: look for a blocked sender, a missing signature, or an old list.",
            f"What to do: `digest status {newsletter.key}` lists them with the replies of their"
            " servers; `digest check` checks the sender's domain.",
        ),
    )


def failing_source(record: SourceRecord, *, since: datetime, zone: ZoneInfo) -> Notification:
    """A source could not be read for a while."""
    before = (
        f"It was last read at {at(zone, record.last_read_at)}."
        if record.last_read_at
        else "It has never been read."
    )
    return Notification(
        event=f"broken {record.name} {to_text(since)}",
        subject=f"The source {record.name} cannot be read",
        body=paragraphs(
            f"The source {record.name} could not be read since {at(zone, since)}. {before}"
            " Its articles are missing from the editions.",
            f"Why: {sentence(record.last_error or '')}",
            "What to do: check its address, and correct digest.toml if it has moved;"
            " `digest ingest` with its name reads it at once.",
        ),
    )


def silent_source(record: SourceRecord, *, lasting: timedelta, longest: timedelta) -> Notification:
    """A source can be read, and has had nothing new for longer than usual."""
    last = to_text(record.last_new_at) if record.last_new_at else ""
    return Notification(
        event=f"silent {record.name} {last}",
        subject=f"The source {record.name} has nothing new",
        body=paragraphs(
            f"The source {record.name} can be read, and had no new article for"
            f" {days(lasting)}; its longest pause so far was {days(longest)}.",
            "What to do: check whether it has moved to another address, or has ended.",
        ),
    )


def event_of(event: str, slot: Slot) -> str:
    """The name of an event that a slot has once."""
    return f"{event} {slot.newsletter} {slot.name}"


def _on_silence(newsletter: Newsletter) -> str:
    match newsletter.timing.on_silence:
        case OnSilence.SEND:
            return "it goes out as it is"
        case OnSilence.HOLD:
            return "it is held until somebody does"
        case OnSilence.SKIP:
            return "this edition is skipped"
        case never:
            assert_never(never)


def _name(newsletter: Newsletter, edition: EditionSummary) -> str:
    return f"{newsletter.title} No. {edition.number}"


def when(slot: Slot) -> str:
    """The slot's wall time, as in `Thursday 12 March 07:00`."""
    return f"{slot.wall:%A} {slot.wall.day} {slot.wall:%B %H:%M}"


def at(zone: ZoneInfo, instant: datetime) -> str:
    """An instant in the time of a zone, as in `07:00 on Thursday 12 March`."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}"


def readers_do(number: int) -> str:
    """The beginning of a sentence: `One reader does`, or `3 readers do`."""
    return "One reader does" if number == 1 else f"{number:,} readers do"


def days(span: timedelta) -> str:
    """A span in whole days, where it has at least two."""
    return in_words(timedelta(days=span.days) if span >= timedelta(days=2) else span)


def sentence(reason: str) -> str:
    """A reason as one sentence or more, without anybody's address."""
    text = plain(_ADDRESS.sub("(an address)", reason)).rstrip(".")
    return f"{text or 'no reason was given'}."


def paragraphs(*texts: str) -> str:
    """Texts as paragraphs, with an empty line between them."""
    return joined(*map(paragraph, texts))


def paragraph(text: str) -> str:
    """A text on lines of at most 72 characters."""
    return fill(plain(text), _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def lines(*each: str) -> str:
    """Lines as they are, indented."""
    return "".join(f"  {line}\n" for line in each)


def joined(*parts: str) -> str:
    """Parts with an empty line between them; each of them ends with a line end."""
    return "\n".join(parts)
