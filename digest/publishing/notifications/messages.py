"""The texts of the notifications: a template for each kind of event, and what it is filled with.

They are short, and say what happened and what to do.
"""

import re
from datetime import datetime, timedelta
from textwrap import fill
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from digest.lib.formatting import in_words
from digest.lib.text import plain, shorten
from digest.lib.timestamps import to_text
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence
from digest.model.slot import Slot, SlotRecord
from digest.storage.editions import EditionSummary
from digest.storage.notifications import Notification
from digest.storage.sources import SourceRecord

_WIDTH: Final = 72

#: What looks like an address may be a reader's; the replies of servers contain many.
_ADDRESS: Final = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")

#: By kind: the subject, then the paragraphs of the body. Those that are indented keep their lines.
_TEXTS: Final = {
    "skipped": """\
{title} had no edition on {day}

{title} had no edition on {day}: {reason}

Its articles are considered again for the next edition, unless they are too old by then.
`digest plan {key}` shows when that is.""",
    "failed": """\
{title} FAILED on {day}

The edition of {title} for {day} could not be made, and is not tried again.

Why: {reason}

What to do: correct that (`digest check` finds most causes), then `digest send {key}` makes an
edition at once. Otherwise the articles go into the next edition, unless they are too old by then.
""",
    "late": """\
{title} is late: {day}

The edition of {title} for {day} could not be made yet. It is tried again automatically.

Why: {reason}

What to do: nothing, if the cause goes away by itself; otherwise `digest check` says what to
correct. You get another message only if the edition is given up.""",
    "draft": """\
{title}: a draft for {day} waits for your decision

The edition of {title} for {day} ({timezone}) is ready as a draft.

{contents}

If nobody decides by then, {on_silence}.

  digest draft {key}    shows it as a text that you can edit
  digest approve {key}    approves it as it is
  digest hold {key}    holds it until you approve it
  digest skip {key}    skips this edition""",
    "held": """\
{title} is held: {day}

The edition of {title} for {day} is held, and is not sent until you decide.

Why: {reason}

  digest draft {key}    shows it as it is now
  digest approve {key}    approves it as it is now
  digest skip {key}    skips this edition""",
    "stopped": """\
{edition} was stopped

{edition} was stopped at {since}. {readers_do} not have it yet, and no later edition is sent
before it.

What to do: `digest resume {key}` continues it.""",
    "unknown": """\
{edition}: {readers} may or may not have it

The connection broke after {edition} was handed over and before the mail server replied: {readers}
may or may not have it. They are not mailed again unless you decide so.

  digest status {key}    lists them
  digest resume {key} --unknown resend    mails them again; some may get it twice
  digest resume {key} --unknown drop    does not; some may not have it""",
    "stuck": """\
{edition} makes no progress

{readers_do} not have {edition}, and no message of it was accepted since {since}. It is tried
again automatically, and nobody gets it twice.

What to do: `digest check` tests the mail server; `digest status {key}` shows the state of the
edition.""",
    "rejected": """\
{edition}: {number:,} of {answered:,} were rejected

{number:,} of {answered:,} messages of {edition} were rejected{most_often}. So many at once are
rarely due to the readers: look for a blocked sender, a missing signature, or an old list.

What to do: `digest status {key}` lists them with the replies of their servers; `digest check`
checks the sender's domain.""",
    "broken": """\
The source {source} cannot be read

The source {source} could not be read since {since}. {last_read} Its articles are missing from the
editions.

Why: {reason}

What to do: check its address, and correct digest.toml if it has moved; `digest ingest` with its
name reads it at once.""",
    "silent": """\
The source {source} has nothing new

The source {source} can be read, and had no new article for {lasting}; its longest pause so far
was {longest}.

What to do: check whether it has moved to another address, or has ended.""",
}


#: The contents of a draft, in the text about it, and what stands there for one that has none.
_CONTENTS: Final = """\
  Subject: {subject}
  Lead: {lead}
  Stories: {stories}
  {unusable}"""
_NO_CONTENTS: Final = "None of its articles can be in an edition any more."


def of_slot(
    kind: str, newsletter: Newsletter, record: SlotRecord, *, state: str = ""
) -> Notification:
    """A slot was skipped, has failed, is late or held. Each `state` of it is an event."""
    return _notification(
        f"{event_of(kind, record.slot)} {state}".rstrip(),
        _TEXTS[kind],
        reason=_sentence(record.reason),
        **_names(newsletter, record.slot),
    )


def draft_waits(
    newsletter: Newsletter, slot: Slot, subject: str, lead: str, *, stories: int, unusable: int = 0
) -> Notification:
    """A draft waits for the editor; without `stories`, none of its articles can be in an edition.

    `unusable` counts the articles that can no longer be in it.
    """
    return _notification(
        event_of("draft", slot),
        _TEXTS["draft"].replace("{contents}", _CONTENTS if stories else _NO_CONTENTS),
        subject=shorten(plain(subject), 200),
        lead=shorten(plain(lead), 200),
        stories=stories,
        unusable=f"Articles that can no longer be in it: {unusable}" if unusable else "",
        timezone=newsletter.timezone,
        on_silence=_on_silence(newsletter),
        **_names(newsletter, slot),
    )


def of_edition(
    kind: str,
    newsletter: Newsletter,
    edition: EditionSummary,
    number: int,
    *,
    since: datetime | None = None,
    told_at: datetime | None = None,
    **values: object,
) -> Notification:
    """An edition was stopped, is stuck, or many of its messages are in doubt or were rejected.

    `number` counts readers. Where it can happen again, `told_at` tells the events apart.
    """
    readers = "one reader" if number == 1 else f"{number:,} readers"
    event = f"{kind} {newsletter.key} {edition.number}"
    return _notification(
        f"{event} {to_text(told_at)}" if told_at else event,
        _TEXTS[kind],
        key=newsletter.key,
        edition=f"{newsletter.title} No. {edition.number}",
        number=number,
        readers=readers,
        readers_do=f"{readers.capitalize()} {'does' if number == 1 else 'do'}",
        since=_at(newsletter.timezone, since) if since else "",
        **values,
    )


def failing_source(record: SourceRecord, *, since: datetime, zone: ZoneInfo) -> Notification:
    """A source could not be read for a while."""
    last = record.last_read_at
    return _notification(
        f"broken {record.name} {to_text(since)}",
        _TEXTS["broken"],
        source=record.name,
        since=_at(zone, since),
        last_read=f"It was last read at {_at(zone, last)}." if last else "It has never been read.",
        reason=_sentence(record.last_error or ""),
    )


def silent_source(
    record: SourceRecord, *, last_new: datetime, lasting: timedelta, longest: timedelta
) -> Notification:
    """A source can be read, and has had nothing new for longer than usual."""
    return _notification(
        f"silent {record.name} {to_text(last_new)}",
        _TEXTS["silent"],
        source=record.name,
        lasting=_days(lasting),
        longest=_days(longest),
    )


def event_of(event: str, slot: Slot) -> str:
    """The name of an event that a slot has once."""
    return f"{event} {slot.newsletter} {slot.name}"


def _names(newsletter: Newsletter, slot: Slot) -> dict[str, str]:
    """The names of a slot: its day is its wall time, as in `Thursday 12 March 07:00`."""
    day = f"{slot.wall:%A} {slot.wall.day} {slot.wall:%B %H:%M}"
    return {"title": newsletter.title, "key": newsletter.key, "day": day}


def _on_silence(newsletter: Newsletter) -> str:
    match newsletter.timing.on_silence:
        case OnSilence.SEND:
            return "it is sent as it is"
        case OnSilence.HOLD:
            return "it is held until somebody does"
        case OnSilence.SKIP:
            return "this edition is skipped"
        case never:
            assert_never(never)


def _at(zone: ZoneInfo, instant: datetime) -> str:
    """An instant in the time of a zone, as in `07:00 on Thursday 12 March`."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}"


def _days(span: timedelta) -> str:
    """A span in whole days, where it has at least two."""
    return in_words(timedelta(days=span.days) if span >= timedelta(days=2) else span)


def _sentence(reason: str) -> str:
    """A reason as one sentence or more, without anybody's address."""
    text = plain(_ADDRESS.sub("(an address)", reason)).rstrip(".")
    return f"{text or 'no reason was given'}."


def _notification(event: str, template: str, **values: object) -> Notification:
    """Fill a template. It is taken apart before, so that no value can pass for a part of it."""
    subject, *paragraphs = template.strip().split("\n\n")
    body = "\n".join(_paragraph(text, values) for text in paragraphs)
    return Notification(event=event, subject=subject.format(**values), body=body)


def _paragraph(template: str, values: dict[str, object]) -> str:
    if template.startswith(" "):
        lines = (line.format(**values) for line in template.split("\n"))
        return "".join(f"{line}\n" for line in lines if line.strip())
    text = plain(template.format(**values))
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"
