"""Status: how the editions stand, who does not surely have one, and what became of the slots.

Everything is counted by SQL: another process may be sending to a million readers meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.config import Settings
from digest.model.delivery import DeliveryState, is_complete
from digest.model.draft import DraftState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence
from digest.model.slot import SlotRecord, SlotState
from digest.storage import delivery_stats, drafts, editions, slots
from digest.storage.database import Access, Database, open_database
from digest.storage.delivery_stats import DeliveryCounts, UnfinishedDelivery, UnfinishedReasons

#: The sending rate is measured over this time.
_RATE_WINDOW: Final = timedelta(seconds=10)

#: So many of the reasons are told.
_REASONS: Final = 5

#: Among so many of the newest slots, those that got no edition are told.
_SLOTS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast an edition is being sent, in readers a second, and when nobody is left to serve."""

    rate: float
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStatus:
    """One edition, its deliveries by state, and the first of those who do not surely have it."""

    edition: Edition
    tally: DeliveryCounts
    reasons: UnfinishedReasons
    unfinished: tuple[UnfinishedDelivery, ...]
    pace: Pace | None

    @property
    def counts(self) -> Mapping[DeliveryState, int]:
        """How many deliveries are in each state."""
        return self.tally.counts

    @property
    def missing(self) -> int:
        """How many readers do not surely have it."""
        return sum(self.counts.values()) - self.counts[DeliveryState.SENT]

    @property
    def complete(self) -> bool:
        """Whether every reader surely has it, or was rightly passed over."""
        return is_complete(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterStatus:
    """A newsletter's editions, and its slots without one; both newest first.

    `drafts` says what the editor has said about the draft of a slot, by its name. `now` is the time
    that was asked about.
    """

    newsletter: Newsletter
    editions: tuple[EditionStatus, ...]
    slots: tuple[SlotRecord, ...]
    drafts: Mapping[str, DraftState]
    now: datetime

    @property
    def complete(self) -> bool:
        """Whether every reader surely has each of the editions, or was rightly passed over."""
        return all(edition.complete for edition in self.editions)

    @property
    def held(self) -> bool:
        """Whether something goes on only when somebody decides: a stopped edition, a draft."""
        stopped = any(entry.edition.stopped for entry in self.editions)
        return stopped or any(self.waits_for_somebody(record) for record in self.slots)

    def waits_for_somebody(self, record: SlotRecord) -> bool:
        """Whether a draft is held, or its hour has come and nobody has decided on it."""
        if record.state is not SlotState.DRAFT:
            return False
        state, timing = self.drafts.get(record.slot.name), self.newsletter.timing
        holds = timing.approval and timing.on_silence is OnSilence.HOLD
        in_vain = holds and state is DraftState.WAITING and record.slot.at <= self.now
        # Any other draft whose hour has come goes on with the next look at the schedule, unless
        # that look has put on record what is in the way.
        return state is DraftState.HELD or in_vain or bool(record.reason)


def status(
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    number: int | None = None,
    most: int = 5,
    listed: int = -1,
) -> NewsletterStatus:
    """The edition of this number, or the newest ones and all that are not complete.

    At most `listed` of the readers who do not surely have an edition are told, all if negative.
    With a `number` there are no slots.
    """
    with open_database(settings.database, Access.READ) as db:
        if number is None:
            found = _recent_and_incomplete(db, newsletter.key, most)
        else:
            one = editions.find(db, newsletter.key, number)
            found = (one,) if one else ()
        return NewsletterStatus(
            newsletter=newsletter,
            editions=tuple(_standing(db, edition, listed, now) for edition in found),
            slots=_without_edition(db, newsletter.key) if number is None else (),
            drafts={one.slot.name: one.state for one in drafts.still_open(db, newsletter.key)},
            now=now,
        )


def _standing(db: Database, edition: Edition, listed: int, now: datetime) -> EditionStatus:
    id_ = edition.stored_id
    tally = delivery_stats.delivery_counts(db, id_, now=now, since=now - _RATE_WINDOW)
    has_all = sum(tally.counts.values()) == tally.counts[DeliveryState.SENT]
    return EditionStatus(
        edition=edition,
        tally=tally,
        reasons=UnfinishedReasons()
        if has_all
        else delivery_stats.unfinished_reasons(db, id_, most=_REASONS),
        unfinished=() if has_all else delivery_stats.unfinished(db, id_, most=listed),
        pace=_pace(tally, now),
    )


def _pace(tally: DeliveryCounts, now: datetime) -> Pace | None:
    """How fast somebody is sending right now; None where nobody is."""
    if not tally.counts[DeliveryState.SENDING] or tally.recent_from is None:
        return None
    # Times are stored in whole seconds: less than one cannot be told apart.
    seconds = max((now - tally.recent_from).total_seconds(), 1.0)
    rate = tally.recent / seconds
    left = tally.counts[DeliveryState.QUEUED] - tally.not_yet_due
    left += tally.counts[DeliveryState.SENDING]
    return Pace(rate=rate, done_at=now + timedelta(seconds=left / rate))


def _without_edition(db: Database, newsletter: str) -> tuple[SlotRecord, ...]:
    """The slots that are still open, and of the newest ones those that got no edition."""
    found = {record.slot.name: record for record in slots.still_open(db, newsletter)}
    for record in slots.recent(db, newsletter, _SLOTS):
        if record.state is not SlotState.PREPARED:
            found[record.slot.name] = record
    return tuple(sorted(found.values(), key=lambda record: record.slot.at, reverse=True))


def _recent_and_incomplete(db: Database, newsletter: str, most: int) -> tuple[Edition, ...]:
    """The newest editions, and every older one that somebody does not surely have."""
    found = {edition.number: edition for edition in editions.incomplete(db, newsletter)}
    found |= {edition.number: edition for edition in editions.recent(db, newsletter, most)}
    return tuple(found[number] for number in sorted(found, reverse=True))
