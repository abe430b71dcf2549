"""What there is to tell the owner, read from the state of the database alone.

Not from what a process has seen happen: so a crash loses no event, and asking again finds the same.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from digest.config import Settings
from digest.errors import TemplateError
from digest.lib.timestamps import to_text
from digest.model.delivery import WAITING_DELIVERIES, DeliveryState, count_in, reply_code
from digest.model.draft import Draft, DraftState
from digest.model.edition import EditionState
from digest.model.newsletter import Newsletter
from digest.model.slot import SkippedBy, SlotRecord, SlotState
from digest.publishing.drafts.resolve import NothingLeft, resolve_at_slot
from digest.publishing.notifications import messages
from digest.storage import (
    deliveries,
    delivery_stats,
    drafts,
    editions,
    notifications,
    slots,
    sources,
)
from digest.storage.database import Database
from digest.storage.editions import EditionSummary
from digest.storage.notifications import Notification
from digest.storage.sources import SourceRecord

#: Older events are not told: a new owner is not flooded with them.
WEEK: Final = timedelta(days=7)

#: So long after its end, nothing about an edition that was sent is new.
_FINAL_AFTER: Final = timedelta(days=1)

#: An edition may make no progress for so long before the owner is told.
_STUCK_AFTER: Final = timedelta(hours=1)

#: A source may fail for so long: servers are restarted, and networks have bad moments.
_OUTAGE: Final = timedelta(hours=2)

#: Rejections are told from this share of an edition on, and from this number.
_SHARE: Final = 0.05
_NUMBER: Final = 3

#: A source needs so many pauses to have a habit.
_PAUSES: Final = 5

#: No source is silent sooner than this, however busy it is: there are weekends.
_SHORTEST_SILENCE: Final = timedelta(days=2)

#: A silence is so many times longer than the long pauses of the source.
_SILENCE_FACTOR: Final = 3


def current_notifications(
    db: Database, settings: Settings, now: datetime
) -> Iterator[Notification]:
    """Everything of the last week that the owner should know, in the order of the newsletters."""
    for newsletter in settings.newsletters.values():
        for record in slots.without_edition(db, newsletter.key, now - WEEK):
            yield from _of_slot(db, newsletter, record)
        for edition in editions.summaries_since(db, newsletter.key, now - WEEK):
            yield from _of_edition(db, newsletter, edition, now)
    configured = {source.name for source in settings.sources}
    for source in sources.records(db):
        if source.name in configured:
            yield from _of_source(db, source, settings.site.timezone)


def _of_slot(db: Database, newsletter: Newsletter, record: SlotRecord) -> Iterator[Notification]:
    match record.state:
        case SlotState.SKIPPED if record.skipped_by is SkippedBy.EDITOR:
            pass  # what people do themselves they need not be told
        case SlotState.SKIPPED:
            yield messages.of_slot("skipped", newsletter, record)
        case SlotState.FAILED:
            yield messages.of_slot("failed", newsletter, record)
        case SlotState.DRAFT if record.hold_kind is not None or not record.tries:
            draft = drafts.find(db, record.slot)
            if draft is not None:
                yield from _of_draft(db, newsletter, record, draft)
        case SlotState.DUE | SlotState.DRAFT if record.tries:
            yield messages.of_slot("late", newsletter, record)
        case SlotState.DUE | SlotState.DRAFT | SlotState.PREPARED:
            pass


def _of_draft(
    db: Database, newsletter: Newsletter, record: SlotRecord, draft: Draft
) -> Iterator[Notification]:
    if record.hold_kind is not None:
        state = f"{draft.state} {to_text(draft.made_at)}"
        yield messages.of_slot("held", newsletter, record, state=state)
        return
    # Without approval an editor has only viewed it, and it goes out by itself.
    waits = newsletter.timing.approval and draft.state is DraftState.WAITING
    if waits and not notifications.is_recorded(db, messages.event_of("draft", draft.slot)):
        yield _draft_waits(db, newsletter, draft)


def _draft_waits(db: Database, newsletter: Newsletter, draft: Draft) -> Notification:
    try:
        content = resolve_at_slot(db, newsletter, draft, draft.made_at)
    except TemplateError as error:
        subject, number = f"({error.message})", len(draft.contents.placed)
        return messages.draft_waits(
            newsletter, draft.slot, subject, "(see the draft)", stories=number
        )
    if isinstance(content, NothingLeft):
        return messages.draft_waits(newsletter, draft.slot, "", "", stories=0)
    subject, stories, unusable = (
        content.edition.subject,
        content.edition.stories,
        len(content.unusable),
    )
    return messages.draft_waits(
        newsletter, draft.slot, subject, stories[0].title, stories=len(stories), unusable=unusable
    )


def _of_edition(
    db: Database, newsletter: Newsletter, edition: EditionSummary, now: datetime
) -> Iterator[Notification]:
    finished_at = edition.finished_at
    if edition.state is EditionState.SENT and finished_at and finished_at < now - _FINAL_AFTER:
        return  # its result was told then, and nothing has changed since
    counts = deliveries.counts(db, edition.id)
    waiting = count_in(counts, WAITING_DELIVERIES)
    stopped_at = edition.stopped_at
    if edition.state is EditionState.PREPARED and stopped_at is not None:
        yield messages.of_edition(
            "stopped", newsletter, edition, waiting, since=stopped_at, told_at=stopped_at
        )
    elif edition.state is EditionState.PREPARED:
        stuck_since = _stuck_since(db, newsletter, edition, counts, now)
        if stuck_since is not None:
            yield messages.of_edition("stuck", newsletter, edition, waiting, since=stuck_since)
    if counts[DeliveryState.QUEUED] or counts[DeliveryState.SENDING]:
        return  # still being sent: its result is told when there is one
    unknown = counts[DeliveryState.UNKNOWN]
    last_unknown = delivery_stats.last_unknown(db, edition.id) if unknown else None
    if last_unknown is not None:
        yield messages.of_edition("unknown", newsletter, edition, unknown, told_at=last_unknown)
    yield from _rejections(db, newsletter, edition, counts)


def _stuck_since(
    db: Database,
    newsletter: Newsletter,
    edition: EditionSummary,
    counts: Mapping[DeliveryState, int],
    now: datetime,
) -> datetime | None:
    """Since when an edition makes no progress, though deliveries are due or most are deferred."""
    quiet_hours = newsletter.timing.quiet_hours
    night = timedelta(0)
    if quiet_hours is not None:
        span = datetime.combine(now, quiet_hours.end) - datetime.combine(now, quiet_hours.begin)
        night = span % timedelta(days=1)
    limit = now - _STUCK_AFTER - night
    if edition.created_at > limit:
        return None
    deferred = counts[DeliveryState.DEFERRED]
    mostly_deferred = deferred >= _NUMBER and 2 * deferred >= sum(counts.values())
    if not (mostly_deferred or delivery_stats.has_due(db, edition.id, limit)):
        return None
    last_progress = delivery_stats.last_progress(db, edition.id, limit)
    return last_progress if last_progress <= limit else None


def _rejections(
    db: Database,
    newsletter: Newsletter,
    edition: EditionSummary,
    counts: Mapping[DeliveryState, int],
) -> Iterator[Notification]:
    rejected = counts[DeliveryState.REJECTED]
    answered = rejected + counts[DeliveryState.SENT]
    if rejected < max(_NUMBER, math.ceil(_SHARE * answered)):
        return
    codes: Counter[str] = Counter()
    for reason in delivery_stats.unfinished_reasons(db, edition.id, most=50).first:
        code = reply_code(reason.reply)
        if reason.state is DeliveryState.REJECTED and code:
            codes[code] += reason.readers
    common = ", ".join(code for code, _ in codes.most_common(3))
    most_often = f", most often with {common}" if common else ""
    yield messages.of_edition(
        "rejected", newsletter, edition, rejected, answered=answered, most_often=most_often
    )


def _of_source(db: Database, record: SourceRecord, zone: ZoneInfo) -> Iterator[Notification]:
    if record.failing_since is not None and record.last_error_at is not None:
        lasting = record.last_error_at - record.failing_since
        if record.last_read_at is None or lasting >= _OUTAGE:
            yield messages.failing_source(record, since=record.failing_since, zone=zone)
        return
    if record.last_new_at is None or record.last_read_at is None:
        return
    silence = source_silence(
        sources.days(db, record.name),
        last_new=record.last_new_at,
        last_read=record.last_read_at,
    )
    if silence is not None:
        lasting, longest = silence.lasting, silence.longest
        yield messages.silent_source(
            record, last_new=record.last_new_at, lasting=lasting, longest=longest
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSilence:
    """A source has had nothing new for this time; its longest pause before was `longest`."""

    lasting: timedelta
    longest: timedelta


def source_silence(
    days: Sequence[date], *, last_new: datetime, last_read: datetime
) -> SourceSilence | None:
    """Whether a source has had nothing new for longer than usual.

    `days` are those on which it had something new, ascending, each once. The limit is three times
    the pause that nine in ten of its pauses are no longer than. What counts is when it was last
    read: since then it may have had something new.
    """
    pauses = sorted(after - before for before, after in pairwise(days))
    if len(pauses) < _PAUSES:
        return None
    long = pauses[math.ceil(0.9 * len(pauses)) - 1]
    lasting = last_read - last_new
    if lasting <= max(_SHORTEST_SILENCE, _SILENCE_FACTOR * long):
        return None
    return SourceSilence(lasting=lasting, longest=pauses[-1])
