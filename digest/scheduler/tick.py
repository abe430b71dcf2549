"""The tick: process every slot that has come, and deliver what is due of every edition."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from digest.config import Settings
from digest.errors import AlreadySending, ConfigError, DigestError, Interrupted, StorageError
from digest.model.delivery import COMPLETE_DELIVERIES, UNDELIVERED, count_in
from digest.model.newsletter import Newsletter
from digest.model.slot import SlotRecord, SlotState
from digest.publishing.delivery.cancellation import CancelReason, CancelToken
from digest.publishing.delivery.queue import Clock
from digest.publishing.delivery.run import Report, SenderSession, sender_session
from digest.scheduler.delivery_round import run_round
from digest.scheduler.due_slots import record_due_slots
from digest.scheduler.events import DeliveryRunEnded, Event, SlotChanged, StepFailed
from digest.scheduler.process_slot import is_time, postpone, process_slot, unexpected_error
from digest.sender.transport import Transport
from digest.storage import editions, slots
from digest.storage.database import Database, open_database
from digest.storage.deliveries import AttemptResult, undelivered

#: A slot may be so late because another process is sending, before that counts as a failure.
_WAIT_FOR_SENDER: Final = timedelta(hours=1)

#: So many deliveries that failed are reported one by one; the rest are counted.
_REPORTED: Final = 100


class TickResult(StrEnum):
    """The result of something that was due: a slot, a delivery round, or a newsletter."""

    PREPARED = "prepared"
    DRAFTED = "drafted"
    SKIPPED = "skipped"
    FAILED = "failed"
    PUT_OFF = "put off"
    HELD = "held"
    SERVED = "served"
    INCOMPLETE = "incomplete"
    TROUBLED = "troubled"


@dataclass(slots=True, kw_only=True)
class TickSummary:
    """The results of a tick, counted, and whether a signal ended it."""

    results: Counter[TickResult] = field(default_factory=Counter)
    interrupted: bool = False


def tick(
    settings: Settings,
    *,
    now: datetime,
    clock: Clock,
    transport: Callable[[], Transport],
    on_event: Callable[[Event], None],
    new_token: Callable[[], CancelToken] = CancelToken,
) -> TickSummary:
    """Process everything that is due at `now`, for every newsletter.

    Slots are recorded first: whatever happens afterwards, none is lost and none comes twice. An
    error of one newsletter does not stop the others. `new_token` makes the token that may end a
    delivery run early, one for each; an edition whose run only pauses is due at the next tick.
    Raises StorageError where the database itself is at fault, and Interrupted.
    """
    summary = TickSummary()
    with open_database(settings.database, create=False) as db:
        every = [
            _Work(settings, newsletter, now, clock, transport, on_event, summary, new_token)
            for newsletter in settings.newsletters.values()
        ]
        for work in every:
            with work.isolated():
                record_due_slots(db, work.newsletter, now, on_event)
        for work in every:
            with work.isolated():
                work.run(db)
            if summary.interrupted:
                break
    return summary


@dataclass(frozen=True, slots=True)
class _Work:
    """What is due of one newsletter."""

    settings: Settings
    newsletter: Newsletter
    now: datetime
    clock: Clock
    transport: Callable[[], Transport]
    on_event: Callable[[Event], None]
    summary: TickSummary
    new_token: Callable[[], CancelToken]

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Report any error, expected or not, and go on with the next newsletter."""
        try:
            yield
        except (StorageError, Interrupted):
            raise
        except AlreadySending:
            # Another process is sending. What is due is recorded, for the next tick.
            return
        except Exception as error:  # noqa: BLE001  # reported with its traceback
            self.summary.results[TickResult.TROUBLED] += 1
            self.on_event(StepFailed(newsletter=self.newsletter.key, error=error))

    def run(self, db: Database) -> None:
        """Deliver the editions under way, then process each open slot."""
        key = self.newsletter.key
        due = [
            record
            for record in slots.still_open(db, key)
            if is_time(db, self.newsletter, record, self.now)
        ]
        if not (due or editions.due(db, key, self.now)):
            return
        try:
            with sender_session(self.settings, self.newsletter, self.clock()) as session:
                self._deliver_due(session)
                for record in due:
                    if self.summary.interrupted:
                        return
                    self._process(session, record)
        except (AlreadySending, ConfigError) as error:
            # Another sender usually ends soon; if it does not, the owner should know. Without an
            # address or a key to send with, every slot that is due has to wait.
            wait = _WAIT_FOR_SENDER if isinstance(error, AlreadySending) else None
            for record in due:
                if wait is None or self.now - record.slot.at > wait:
                    self._put_off(db, record, error)
            raise

    def _deliver_due(self, session: SenderSession) -> None:
        for edition in editions.due(session.db, self.newsletter.key, self.now):
            if self.summary.interrupted:
                return
            begun = self.clock()
            report = run_round(
                session,
                edition,
                now=self.now,
                clock=self.clock,
                transport=self.transport,
                cancel=self.new_token(),
            )
            if report is None:
                continue
            # Stopping one edition does not stop the others.
            self.summary.interrupted |= report.cancelled is CancelReason.SHUTDOWN
            self.summary.results[_round_result(report)] += 1
            results: tuple[AttemptResult, ...] = ()
            if count_in(report.counts, UNDELIVERED):
                results = undelivered(session.db, edition.stored_id, since=begun, most=_REPORTED)
            self.on_event(DeliveryRunEnded(report=report, undelivered=results))

    def _process(self, session: SenderSession, record: SlotRecord) -> None:
        try:
            settled = process_slot(session.db, self.settings, self.newsletter, record, self.now)
        except StorageError:
            raise
        except Exception as error:
            # Put off like an expected failure: not tried again at every tick, and reported.
            self._put_off(session.db, record, unexpected_error(error))
            raise
        self._count(record, settled)
        if settled.state is SlotState.PREPARED:
            self._deliver_due(session)

    def _put_off(self, db: Database, record: SlotRecord, error: DigestError) -> None:
        later = postpone(record, error, self.now)
        slots.settle(db, later, self.now)
        self._count(record, later)

    def _count(self, before: SlotRecord, after: SlotRecord) -> None:
        self.summary.results[_slot_result(after)] += 1
        if (before.state, before.reason) != (after.state, after.reason):
            self.on_event(SlotChanged(record=after))


def _slot_result(record: SlotRecord) -> TickResult:
    match record.state:
        case SlotState.DUE:
            return TickResult.PUT_OFF
        case SlotState.DRAFT:
            if record.hold_kind is not None:
                return TickResult.HELD
            return TickResult.PUT_OFF if record.reason else TickResult.DRAFTED
        case _:
            return TickResult(record.state.value)


def _round_result(report: Report) -> TickResult:
    """Readers who wait for their own hour do not make it incomplete."""
    complete = count_in(report.counts, COMPLETE_DELIVERIES)
    waiting = sum(report.counts.values()) - complete
    return TickResult.SERVED if waiting == report.later else TickResult.INCOMPLETE
