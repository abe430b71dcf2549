"""Status: the editions and their deliveries, and the slots without an edition.

SQL counts: another process may be sending to a million readers meanwhile.
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

#: At most so many reasons are listed.
_REASONS: Final = 5

#: Of so many of the newest slots, those without an edition are listed.
_SLOTS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast an edition is being sent, in readers a second, and when nobody is left to serve."""

    rate: float
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionStatus:
    """One edition, its deliveries by state, and readers for whom it is not confirmed."""

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
        """For how many readers it is not confirmed."""
        return sum(self.counts.values()) - self.counts[DeliveryState.SENT]

    @property
    def complete(self) -> bool:
        """Whether each reader has it, or is rightly without it."""
        return is_complete(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterStatus:
    """A newsletter's editions, and its slots without one; both newest first.

    `drafts` are the states of the drafts, by the names of their slots. `now` is the time of the
    status.
    """

    newsletter: Newsletter
    editions: tuple[EditionStatus, ...]
    slots: tuple[SlotRecord, ...]
    drafts: Mapping[str, DraftState]
    now: datetime

    @property
    def complete(self) -> bool:
        """Whether each reader has all of the editions, or is rightly without them."""
        return all(edition.complete for edition in self.editions)

    @property
    def held(self) -> bool:
        """Whether something waits for a decision: a stopped edition, or a draft."""
        stopped = any(entry.edition.stopped for entry in self.editions)
        return stopped or any(self.waits_for_decision(record) for record in self.slots)

    def waits_for_decision(self, record: SlotRecord) -> bool:
        """Whether it has a draft that is held, or whose time has come without a decision."""
        if record.state is not SlotState.DRAFT:
            return False
        state, timing = self.drafts.get(record.slot.name), self.newsletter.timing
        holds = timing.approval and timing.on_silence is OnSilence.HOLD
        undecided = holds and state is DraftState.WAITING and record.slot.at <= self.now
        # Any other draft whose time has come is processed by a later tick, unless one has put on
        # record that it is held.
        return state is DraftState.HELD or undecided or record.hold_kind is not None


def status(
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    number: int | None = None,
    most: int = 5,
    listed: int = -1,
) -> NewsletterStatus:
    """The edition of this number, or the newest ones and all that are not sent.

    At most `listed` readers are listed for whom an edition is not confirmed, all if negative. With
    a `number` there are no slots.
    """
    with open_database(settings.database, Access.READ) as db:
        if number is None:
            chosen = _recent_and_not_sent(db, newsletter.key, most)
        else:
            edition = editions.find(db, newsletter.key, number)
            chosen = (edition,) if edition else ()
        return NewsletterStatus(
            newsletter=newsletter,
            editions=tuple(_edition_status(db, edition, listed, now) for edition in chosen),
            slots=_without_edition(db, newsletter.key) if number is None else (),
            drafts={each.slot.name: each.state for each in drafts.still_open(db, newsletter.key)},
            now=now,
        )


def _edition_status(db: Database, edition: Edition, listed: int, now: datetime) -> EditionStatus:
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
    """How fast the edition is being sent; None where no process is sending it."""
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
    records = {record.slot.name: record for record in slots.still_open(db, newsletter)}
    for record in slots.recent(db, newsletter, _SLOTS):
        if record.state is not SlotState.PREPARED:
            records[record.slot.name] = record
    return tuple(sorted(records.values(), key=lambda record: record.slot.at, reverse=True))


def _recent_and_not_sent(db: Database, newsletter: str, most: int) -> tuple[Edition, ...]:
    """The newest editions, and every older one that is not sent."""
    by_number = {edition.number: edition for edition in editions.not_sent(db, newsletter)}
    by_number |= {edition.number: edition for edition in editions.recent(db, newsletter, most)}
    return tuple(by_number[number] for number in sorted(by_number, reverse=True))
