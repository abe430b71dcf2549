"""Occasions: what there is to tell the owner, read from the state of the database alone.

Not from what a process has seen happen: so a crash loses none, and who asks again finds the same.

Silence: whether a source that used to have something new has been quiet for too long. Pure.

What the owner is told of sources.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from digest.config import Settings
from digest.errors import TemplateError
from digest.lib.timestamps import from_text, to_text
from digest.model.delivery import DeliveryState
from digest.model.draft import Draft, DraftState
from digest.model.edition import EditionState
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord, SlotState
from digest.publishing.drafts.editing import BY_THE_EDITOR
from digest.publishing.drafts.resolve import NothingLeft, horizon_of, resolve
from digest.publishing.notifications import messages as notice_texts
from digest.publishing.notifications.messages import DraftSummary, at, days, paragraphs, sentence
from digest.storage import deliveries, delivery_stats, drafts, notifications, sources
from digest.storage.database import Database
from digest.storage.delivery_stats import EditionSummary
from digest.storage.notifications import Notification
from digest.storage.sources import SourceRecord

#: Pauses that make a habit. Before that, nobody knows how a source is.
_PAUSES: Final = 5

#: No source is silent sooner, however busy it is: there are weekends.
_SHORTEST: Final = timedelta(days=2)

#: So many times longer than its long pauses.
_FACTOR: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSilence:
    """A source has had nothing new `lasting` so long; the longest pause before was `longest`."""

    lasting: timedelta
    longest: timedelta


def source_silence(
    days: Sequence[date], *, last_new: datetime, last_read: datetime
) -> SourceSilence | None:
    """Whether a source is silent beyond its habit.

    `days` are those on which it had something new, ascending, each once. It is silent when it has
    been so for three times as long as its long pauses, of which nine in ten are shorter. What
    counts is when it was last read: while we were away, it may have spoken.
    """
    pauses = sorted(after - before for before, after in pairwise(days))
    if len(pauses) < _PAUSES:
        return None
    long = pauses[math.ceil(0.9 * len(pauses)) - 1]
    lasting = last_read - last_new
    if lasting <= max(_SHORTEST, _FACTOR * long):
        return None
    return SourceSilence(lasting=lasting, longest=pauses[-1])


def broken_sources(record: SourceRecord, *, since: datetime, zone: ZoneInfo) -> Notification:
    """A source could not be read for a while."""
    error = (record.last_error or "").partition(" ")[2]
    before = (
        f"It was last read at {at(zone, record.last_read_at)}."
        if record.last_read_at
        else "It could never be read so far."
    )
    return Notification(
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


def silent_sources(record: SourceRecord, found: SourceSilence) -> Notification:
    """A source can be read, and has had nothing new for longer than it is its habit."""
    last = to_text(record.last_new_at) if record.last_new_at else ""
    return Notification(
        event=f"silent {record.name} {last}",
        subject=f"The source {record.name} has fallen silent",
        body=paragraphs(
            f"The source {record.name} can be read, and had no new article for"
            f" {days(found.lasting)}; its longest pause so far was {days(found.longest)}.",
            "What to do: look whether it goes on at another address, or has ended.",
        ),
    )


#: Older history is not told: whoever begins to use this is not flooded with it.
WEEK: Final = timedelta(days=7)

#: An edition may rest for so long before somebody should look at it.
_PATIENCE: Final = timedelta(hours=1)

#: A source may fail for so long: servers are restarted, and networks have bad moments.
_OUTAGE: Final = timedelta(hours=2)

#: Refusals are worth a word from this share of an edition on, and from this number.
_SHARE: Final = 0.05
_NUMBER: Final = 3

#: In the reason of a draft that is held back, unlike in that of one that failed.
_ASKS: Final = "`digest approve`"

_CODE: Final = re.compile(r"([245][0-9]{2})(?: [245]\.[0-9]{1,3}\.[0-9]{1,3})?\b")


def current_notifications(
    db: Database, settings: Settings, now: datetime
) -> Iterator[Notification]:
    """Everything of the last week that is worth telling, in the order of the newsletters."""
    for newsletter in settings.newsletters.values():
        for record in delivery_stats.slots_without_edition(db, newsletter.key, now - WEEK):
            yield from _of_slot(db, newsletter, record)
        for edition in delivery_stats.editions_since(db, newsletter.key, now - WEEK):
            yield from _of_edition(db, newsletter, edition, now)
    configured = {source.name for source in settings.sources}
    for source in sources.everything(db):
        if source.name in configured:
            yield from _of_source(db, source, settings.site.timezone)


def _of_slot(db: Database, newsletter: Newsletter, record: SlotRecord) -> Iterator[Notification]:
    match record.state:
        case SlotState.SKIPPED if record.reason.startswith(BY_THE_EDITOR):
            pass
        case SlotState.SKIPPED:
            yield notice_texts.skipped(newsletter, record)
        case SlotState.FAILED:
            yield notice_texts.failed(newsletter, record)
        case SlotState.DRAFT if not record.tries or _ASKS in record.reason:
            draft = drafts.find(db, record.slot)
            if draft is not None:
                yield from _of_draft(db, newsletter, record, draft)
        case SlotState.DUE | SlotState.DRAFT if record.tries:
            yield notice_texts.late(newsletter, record)
        case SlotState.DUE | SlotState.DRAFT | SlotState.PREPARED:
            pass


def _of_draft(
    db: Database, newsletter: Newsletter, record: SlotRecord, draft: Draft
) -> Iterator[Notification]:
    # A draft that is kept back has a reason and is looked at again; one that an earlier edition
    # keeps waiting has a reason only.
    if record.reason and record.next_try_at is not None:
        yield notice_texts.held(newsletter, record, draft)
        return
    # Without approval somebody has only looked at it, and it goes out by itself.
    waits = newsletter.timing.approval and draft.state is DraftState.WAITING
    if waits and not notifications.known(db, notice_texts.event_of("draft", draft.slot)):
        yield notice_texts.draft_waits(newsletter, draft.slot, _contents(db, newsletter, draft))


def _contents(db: Database, newsletter: Newsletter, draft: Draft) -> DraftSummary | None:
    cutoff = horizon_of(db, newsletter, draft.slot, draft.made_at)
    try:
        content = resolve(db, newsletter, draft.slot, draft.contents, cutoff=cutoff)
    except TemplateError as error:
        stories = len(draft.contents.placed)
        return DraftSummary(subject=f"({error.message})", lead="(see the draft)", stories=stories)
    if isinstance(content, NothingLeft):
        return None
    edition = content.edition
    return DraftSummary(
        subject=edition.subject,
        lead=edition.stories[0].title,
        stories=len(edition.stories),
        gone=len(content.gone),
    )


def _of_edition(
    db: Database, newsletter: Newsletter, edition: EditionSummary, now: datetime
) -> Iterator[Notification]:
    if edition.state is EditionState.SENT and _seen_before(edition, now):
        return
    counts = deliveries.counts(db, edition.id)
    if edition.state is EditionState.PREPARED and edition.stopped_at is not None:
        yield notice_texts.stopped(newsletter, edition, counts)
    elif edition.state is EditionState.PREPARED:
        stuck_since = _stuck_since(db, newsletter, edition, counts, now)
        if stuck_since is not None:
            waiting = counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED]
            yield notice_texts.stuck(newsletter, edition, waiting, since=stuck_since)
    if counts[DeliveryState.QUEUED] or counts[DeliveryState.SENDING]:
        return  # under way: what it comes to is told when it has come to it
    last_unknown = (
        delivery_stats.last_unknown(db, edition.id) if counts[DeliveryState.UNKNOWN] else None
    )
    if last_unknown is not None:
        number = counts[DeliveryState.UNKNOWN]
        yield notice_texts.unknown(newsletter, edition, number, last=last_unknown)
    yield from _refusals(db, newsletter, edition, counts)


def _seen_before(edition: EditionSummary, now: datetime) -> bool:
    """Whether it was complete a day ago: then it was looked at, and nothing has changed since."""
    return edition.finished_at is not None and edition.finished_at < now - timedelta(days=1)


def _stuck_since(
    db: Database,
    newsletter: Newsletter,
    edition: EditionSummary,
    counts: Mapping[DeliveryState, int],
    now: datetime,
) -> datetime | None:
    """Since when nothing has moved, where somebody is due, or the server puts most of them off."""
    quiet = newsletter.timing.quiet_hours
    rest = timedelta(0)
    if quiet is not None:
        night = datetime.combine(now, quiet.end) - datetime.combine(now, quiet.begin)
        rest = night % timedelta(days=1)
    long_ago = now - _PATIENCE - rest
    if edition.created_at > long_ago:
        return None
    deferred = counts[DeliveryState.DEFERRED]
    put_off = deferred >= _NUMBER and 2 * deferred >= sum(counts.values())
    if not (put_off or delivery_stats.has_due(db, edition.id, long_ago)):
        return None
    moved = delivery_stats.last_progress(db, edition.id, long_ago)
    return moved if moved <= long_ago else None


def _refusals(
    db: Database,
    newsletter: Newsletter,
    edition: EditionSummary,
    counts: Mapping[DeliveryState, int],
) -> Iterator[Notification]:
    refused = counts[DeliveryState.REJECTED]
    answered = refused + counts[DeliveryState.SENT]
    if refused < max(_NUMBER, math.ceil(_SHARE * answered)):
        return
    codes: Counter[str] = Counter()
    for reason in delivery_stats.unfinished_reasons(db, edition.id, most=50).first:
        code = _CODE.match(reason.reply)
        if reason.state is DeliveryState.REJECTED and code:
            codes[code[0]] += reason.readers
    common = ", ".join(code for code, _ in codes.most_common(3))
    yield notice_texts.rejected(newsletter, edition, refused, of=answered, codes=common)


def _of_source(db: Database, record: SourceRecord, zone: ZoneInfo) -> Iterator[Notification]:
    if record.failing_since is not None and record.last_error:
        last_failure = from_text(record.last_error.partition(" ")[0])
        if record.last_read_at is None or last_failure - record.failing_since >= _OUTAGE:
            yield broken_sources(record, since=record.failing_since, zone=zone)
        return
    if record.last_new_at is None or record.last_read_at is None:
        return
    days = sources.days(db, record.name)
    found = source_silence(days, last_new=record.last_new_at, last_read=record.last_read_at)
    if found is not None:
        yield silent_sources(record, found)
