"""What the owner is told of slots and editions: short, plain, and with what to do.

One function for each event.

How a notice is set: short paragraphs, indented lines, days and hours as people say them.
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


def skipped(newsletter: Newsletter, record: SlotRecord) -> Notification:
    """A slot has no edition, for a reason that is no failure."""
    day = when(record.slot)
    return Notification(
        event=event_of("skipped", record.slot),
        subject=f"{newsletter.title} had no edition on {day}",
        body=paragraphs(
            f"{newsletter.title} had no edition on {day}: {sentence(record.reason)}",
            "No article is lost by that: what is not too old by then is looked at again for the"
            f" next edition. `digest plan {newsletter.key}` shows when that is.",
        ),
    )


def failed(newsletter: Newsletter, record: SlotRecord) -> Notification:
    """A slot was to have an edition, and it is too late for it."""
    day = when(record.slot)
    return Notification(
        event=event_of("failed", record.slot),
        subject=f"{newsletter.title} FAILED on {day}",
        body=paragraphs(
            f"The edition of {newsletter.title} for {day} could not be made, and is not tried"
            " again.",
            f"Why: {sentence(record.reason)}",
            "What to do: mend that (`digest check` finds most causes), then"
            f" `digest send {newsletter.key}` makes an edition at once. Otherwise the articles go"
            " into the next one, as far as they are not too old by then.",
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
            " again by itself.",
            f"Why: {sentence(record.reason)}",
            "What to do: nothing, if that passes by itself; otherwise `digest check` says what to"
            " mend. You are told again only if this edition fails for good.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSummary:
    """What stands in a draft. `gone` counts the articles that cannot be in it any more."""

    subject: str
    lead: str
    stories: int
    gone: int = 0


def draft_waits(newsletter: Newsletter, slot: Slot, contents: DraftSummary | None) -> Notification:
    """A draft waits for the editor; without `contents`, none of its articles can be in it."""
    day, key = when(slot), newsletter.key
    if contents is None:
        inside = paragraph("None of the articles in it can be in an edition any more.")
    else:
        inside = lines(
            f"Subject: {shorten(plain(contents.subject), 200)}",
            f"Lead: {shorten(plain(contents.lead), 200)}",
            f"Stories: {contents.stories}",
            *((f"Articles that cannot be in it any more: {contents.gone}",) * bool(contents.gone)),
        )
    return Notification(
        event=event_of("draft", slot),
        subject=f"{newsletter.title}: a draft waits for you, for {day}",
        body=joined(
            paragraph(
                f"The edition of {newsletter.title} for {day} ({newsletter.timezone}) is ready as"
                " a draft."
            ),
            inside,
            paragraph(f"If nobody decides by then, {_on_silence(newsletter)}."),
            lines(
                f"digest draft {key}    shows it as a text that you can edit",
                f"digest approve {key}    lets it go out as it stands",
                f"digest hold {key}    keeps it back until you say otherwise",
                f"digest skip {key}    leaves this edition out",
            ),
        ),
    )


def held(newsletter: Newsletter, record: SlotRecord, draft: Draft) -> Notification:
    """The hour of a draft has come, and it does not go out."""
    day, key = when(record.slot), newsletter.key
    return Notification(
        event=f"{event_of('held', record.slot)} {draft.state} {to_text(draft.made_at)}",
        subject=f"{newsletter.title} is held back: {day}",
        body=joined(
            paragraph(
                f"The edition of {newsletter.title} for {day} is held back, and nobody gets it"
                " until you decide."
            ),
            paragraph(f"Why: {sentence(record.reason)}"),
            lines(
                f"digest draft {key}    shows how it stands now",
                f"digest approve {key}    lets it go out like that",
                f"digest skip {key}    leaves this edition out",
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
            f"What to do: `digest resume {newsletter.key}` goes on with it.",
        ),
    )


def unknown(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, last: datetime
) -> Notification:
    """Nobody knows whether some readers have an edition; the owner decides."""
    key = newsletter.key
    ones = "one reader" if number == 1 else f"{number:,} readers"
    return Notification(
        event=f"unknown {key} {edition.number} {to_text(last)}",
        subject=f"{newsletter.title} No. {edition.number}: {ones} may or may not have it",
        body=joined(
            paragraph(
                f"While {_name(newsletter, edition)} was handed over, the line was lost at the one"
                f" moment after which nobody can tell: {ones} may or may not have it. They are not"
                " mailed again unless you say so."
            ),
            lines(
                f"digest status {key}    lists them",
                f"digest resume {key} --unknown resend    mails them; some may get it twice",
                f"digest resume {key} --unknown drop    lets it be; some may not have it",
            ),
        ),
    )


def stuck(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, since: datetime
) -> Notification:
    """Readers wait, and nothing has moved for long: the server that takes messages is at fault."""
    return Notification(
        event=f"stuck {newsletter.key} {edition.number}",
        subject=f"{newsletter.title} No. {edition.number} does not get through",
        body=paragraphs(
            f"{readers_do(number)} not have {_name(newsletter, edition)}, and no message of it has"
            f" got through since {at(newsletter.timezone, since)}. It is tried again by itself, and"
            " nobody gets it twice.",
            "What to do: `digest check` asks the mail server what is wrong;"
            f" `digest status {newsletter.key}` shows how the edition stands.",
        ),
    )


def rejected(
    newsletter: Newsletter, edition: EditionSummary, number: int, *, of: int, codes: str
) -> Notification:
    """So many readers were refused that it is hardly their own fault."""
    return Notification(
        event=f"rejected {newsletter.key} {edition.number}",
        subject=f"{newsletter.title} No. {edition.number}: {number:,} of {of:,} were refused",
        body=paragraphs(
            f"{number:,} of {of:,} messages of {_name(newsletter, edition)} were refused for good"
            f"{f', most often with {codes}' if codes else ''}. So many at once are rarely due to"
            " the readers: look for a blocked sender, a missing signature, or an old list.",
            f"What to do: `digest status {newsletter.key}` lists them with what their servers said;"
            " `digest check` looks at the sender's domain.",
        ),
    )


def _on_silence(newsletter: Newsletter) -> str:
    match newsletter.timing.on_silence:
        case OnSilence.SEND:
            return "it goes out as it stands"
        case OnSilence.HOLD:
            return "it is held back until somebody does"
        case OnSilence.SKIP:
            return "it is left out"
        case never:
            assert_never(never)


def event_of(event: str, slot: Slot) -> str:
    """The name of an event that a slot has once."""
    return f"{event} {slot.newsletter} {slot.name}"


def _name(newsletter: Newsletter, edition: EditionSummary) -> str:
    return f"{newsletter.title} No. {edition.number}"
