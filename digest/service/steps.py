"""What the service does each time it is woken, step by step.

A step that fails is logged once, tried again the next time, and keeps no other step from its turn.
A delivery run keeps others waiting for its time slice at most, and continues after them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from digest.config import Settings
from digest.errors import Interrupted
from digest.model.delivery import Outcome
from digest.publishing.delivery.cancellation import CancelReason, CancelToken
from digest.publishing.delivery.run import refuse_backup
from digest.publishing.maintenance import stale_sources
from digest.publishing.notifications.mail import send_notifications
from digest.schedule.timetable import next_slot
from digest.scheduler.tick import TickSummary, tick
from digest.sender.factory import transport_for
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import Transport, no_precommit
from digest.service.background import BackgroundJobs
from digest.service.log import Log
from digest.service.reporter import Reporter
from digest.service.shutdown import Shutdown
from digest.service.state import ServiceState
from digest.service.wakeups import WakeReason
from digest.storage.database import Access, open_database
from digest.storage.locks import Lease

#: Seconds that a delivery run may last before others have their turn.
TIME_SLICE: Final = 60.0

#: Seconds that a step may take (rendering for a large edition, and storing it), and what is
#: between two checks of a delivery run.
_STEP: Final = 900.0
_CHECK: Final = 120.0

#: Seconds for which slots wait for the sources when the service begins: articles may be days old.
_FRESH_SOURCES: Final = 60.0

#: Seconds between two looks for what the owner is to be told: they count deliveries.
_NOTIFY_EVERY: Final = 60.0

#: Seconds that background jobs get at the end. They bear being cut off.
_LAST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSlice:
    """How long one delivery run may keep others waiting: until a time, the next slot at the latest.

    `ends_at` is a time of `steady`, which is in seconds and only goes forward.
    """

    ends_at: float
    next_slot: datetime | None
    lease: Lease
    now: Callable[[], datetime]
    steady: Callable[[], float]

    def over(self) -> CancelReason | None:
        """Why the run is to end by now; None while it may continue."""
        if self.steady() >= self.ends_at:
            return CancelReason.TIME_SLICE_OVER
        if self.next_slot is not None and self.now() >= self.next_slot:
            return CancelReason.NEXT_SLOT_DUE
        return None if self.lease.is_ours else CancelReason.LEASE_LOST


class CountingTransport:
    """Another transport, see `Transport`, and a count of its outcomes by name, for the metrics."""

    def __init__(self, transport: Transport, counts: Counter[str]) -> None:
        self.connections = transport.connections
        self._transport = transport
        self._counts = counts

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._transport.__aexit__(*error)

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one message; see `Transport.send`."""
        outcome = await self._transport.send(envelope, message, before_commit=before_commit)
        self._counts[type(outcome).__name__.lower()] += 1
        return outcome


class ServiceSteps:
    """The steps, and what they share. `settings` may be replaced between two passes."""

    def __init__(
        self,
        settings: Settings,
        shutdown: Shutdown,
        lease: Lease,
        *,
        log: Log,
        now: Callable[[], datetime],
        steady: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.state = ServiceState()
        self.reporter = Reporter(log, self.state)
        self._shutdown = shutdown
        self._lease = lease
        self._log = log
        self._now = now
        self._steady = steady
        self._jobs = BackgroundJobs(self.reporter, now)
        self._tokens: list[CancelToken] = []
        self._ending_logged = False
        self._notify_at = float("-inf")
        self._transport_of: tuple[Settings, CountingTransport] | None = None

    def begin(self) -> None:
        """Read the sources that were not read lately, before any slot is processed.

        Raises Held for a backup that was put back, and StorageErrors.
        """
        self._refuse_backup()
        self._step("ingest", self._read_stale_sources)
        self._wait_for_sources(_FRESH_SOURCES)

    def run_pass(self, reasons: Iterable[WakeReason]) -> bool:
        """Do what is due, and what was asked for. True if a delivery run pauses: repeat at once."""
        if WakeReason.INGEST in reasons:
            self._jobs.read(self.settings, self.settings.sources)
        self._step("tick", lambda: self._tick(self._next_slot(), lasts=TIME_SLICE))
        if self._steady() >= self._notify_at:
            self._step("notices", self._notify)
        if WakeReason.PRUNE in reasons:
            self._jobs.prune(self.settings)
        self._jobs.report()
        return any(token.reason is not None and token.reason.is_pause for token in self._tokens)

    def run_once(self) -> TickSummary:
        """One pass that waits for each step, and for the end of each run. Raises as `begin`."""
        self._refuse_backup()
        self._jobs.read(self.settings, self.settings.sources)
        self._wait_for_sources(float("inf"))
        summary = TickSummary()
        if not self._shutdown.requested:
            summary = self._tick(None, lasts=float("inf"))
        if not self._shutdown.requested:
            self._step("notices", self._notify)
            self._jobs.prune(self.settings)
            self._jobs.pruning.wait(_STEP)
            self._jobs.report()
        return summary

    def end(self) -> None:
        """Give background jobs a moment. What they have not stored by then is read again."""
        self._log_ending()
        self._jobs.sources.wait(min(_LAST_WAIT, self.settings.service.timeout))

    def _refuse_backup(self) -> None:
        with open_database(self.settings.database, Access.READ) as db:
            refuse_backup(db)

    # --- steps ---

    def _step(self, name: str, step: Callable[[], object]) -> None:
        if self._shutdown.requested:
            return
        self.state.heartbeat.beat(_STEP)
        try:
            step()
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  # logged, and tried again: that is the service
            self.state.failing_steps |= {name}
            self.reporter.failed(f"{name}-failed", error)
        else:
            self.state.failing_steps -= {name}
            self.reporter.succeeded(f"{name}-failed")

    def _tick(self, next_slot: datetime | None, *, lasts: float) -> TickSummary:
        self._tokens.clear()
        self.reporter.tick_begins()
        summary = tick(
            self.settings,
            now=self._now(),
            clock=self._now,
            transport=self._transport,
            on_event=self.reporter.report,
            new_token=lambda: self._new_token(next_slot, lasts=lasts),
        )
        self.reporter.tick_ended()
        self.state.heartbeat.ticked()
        return summary

    def _notify(self) -> None:
        sent = send_notifications(
            self.settings,
            now=self._now(),
            transport=self._transport,
            on_new=lambda notice: self._log.warning("notice", notice.subject),
        )
        self._notify_at = self._steady() + _NOTIFY_EVERY
        if sent:
            self._log.info("owner-notified", notices=sent)

    def _transport(self) -> CountingTransport:
        """The transport. It is the same one each time, so that it keeps the limits of relays."""
        if self._transport_of is None or self._transport_of[0] is not self.settings:
            transport = CountingTransport(transport_for(self.settings), self.state.messages)
            self._transport_of = self.settings, transport
        return self._transport_of[1]

    def _read_stale_sources(self) -> None:
        stale = stale_sources(self.settings, self.settings.service.ingest_every, now=self._now())
        self._jobs.read(self.settings, stale)

    def _wait_for_sources(self, seconds: float) -> None:
        until = self._steady() + seconds
        while self._jobs.sources.busy and self._steady() < until and not self._shutdown.requested:
            self.state.heartbeat.beat(_CHECK)
            self._jobs.sources.wait(0.2)
        self._jobs.report()

    # --- delivery runs ---

    def _next_slot(self) -> datetime | None:
        now = self._now()
        slots = []
        for newsletter in self.settings.newsletters.values():
            # A timetable that cannot be read is for the tick to report: others are not affected.
            with suppress(Exception):
                slots.append(next_slot(newsletter, now))
        return min((slot.at for slot in slots if slot is not None), default=None)

    def _new_token(self, next_slot: datetime | None, *, lasts: float) -> CancelToken:
        """A token for one run: it ends with its time slice, or with the service."""
        time_slice = TimeSlice(
            ends_at=self._steady() + lasts,
            next_slot=next_slot,
            lease=self._lease,
            now=self._now,
            steady=self._steady,
        )

        def check() -> CancelReason | None:
            self.state.heartbeat.beat(_CHECK)
            return time_slice.over()

        token = CancelToken(check=check, on_shutdown=self._log_ending, steady=self._steady)
        self._tokens.append(token)
        return self._shutdown.attach(token)

    def _log_ending(self) -> None:
        if not self._ending_logged:
            self._ending_logged = True
            timeout = self._shutdown.timeout
            self._log.info("ending", "messages being sent are completed first", timeout=timeout)
