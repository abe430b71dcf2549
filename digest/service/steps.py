"""Work: what the service does each time it is woken, step by step.

A step that fails is logged once, tried again the next time, and keeps no other step from its turn.

Turns: a round of delivery lasts as long as nobody else has to wait for it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final

from digest.config import Settings
from digest.errors import Interrupted
from digest.publishing.delivery.report import CancelToken
from digest.publishing.delivery.run import CancelScope, refuse_backup
from digest.publishing.maintenance import stale_sources
from digest.publishing.notifications.mail import send_notifications
from digest.schedule.timetable import next_slot
from digest.scheduler.tick import TickSummary, tick
from digest.sender.factory import transport_for
from digest.service.background import BackgroundJobs
from digest.service.counting_transport import CountingTransport
from digest.service.log import Log
from digest.service.reporter import Reporter
from digest.service.shutdown import Shutdown
from digest.service.state import ServiceState
from digest.service.wakeups import WakeReason
from digest.storage.database import Access, open_database
from digest.storage.locks import Lease
from digest.storage.notifications import Notification

#: Seconds that messages under way have to get to their final dot, once the round is to end. One
#: that a limit keeps waiting is called off then; one that has had its dot is waited for.
GRACE: Final = 5.0


class TimeSlice:
    """One round's turn: `lasts` seconds, while `goes_on`. `steady` only goes forward."""

    def __init__(
        self,
        stop: CancelToken,
        *,
        lasts: float,
        goes_on: Callable[[], bool],
        call_off: Callable[[], None],
        steady: Callable[[], float],
    ) -> None:
        self._stop = stop
        self._until = steady() + lasts
        self._goes_on = goes_on
        self._call_off = call_off
        self._steady = steady
        self._asked_at: float | None = None

    def look(self) -> bool:
        """Whether the round may go on; to be asked again and again until it has ended."""
        now = self._steady()
        if self._stop.requested:
            if self._asked_at is None:
                self._asked_at = now
            elif now >= self._asked_at + GRACE:
                self._call_off()
        return now < self._until and self._goes_on()


#: Seconds that a round may last before others have their turn.
TURN: Final = 60.0

#: Seconds that a step may take (rendering for a large edition, and freezing it), and what is
#: between two looks at a round.
_STEP: Final = 900.0
_LOOK: Final = 120.0

#: Seconds for which slots wait for the sources when the work begins: articles may be days old.
_FRESH: Final = 60.0

#: Seconds between two looks for what the owner is to be told: they count deliveries.
_BETWEEN_POSTS: Final = 60.0

#: Seconds that what is done aside gets at the end. It bears being cut off.
_LEAVE: Final = 5.0


class ServiceSteps:
    """The steps, and what they share. `settings` may be replaced between two turns."""

    def __init__(
        self,
        settings: Settings,
        ending: Shutdown,
        lease: Lease,
        *,
        log: Log,
        now: Callable[[], datetime],
        steady: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.standing = ServiceState()
        self.reporter = Reporter(log, self.standing)
        self._ending = ending
        self._lease = lease
        self._log = log
        self._now = now
        self._steady = steady
        self._chores = BackgroundJobs(self.reporter, now)
        self._rested = False
        self._told_ending = False
        self._post_at = float("-inf")
        self._carriers: tuple[Settings, CountingTransport] | None = None

    def begin(self) -> None:
        """Read the sources that were not read lately, before any slot is seen to.

        Raises Held for a backup that was put back, and StorageErrors.
        """
        self._refuse_backup()
        self._step("ingest", self._read_stale_sources)
        self._await_sources(_FRESH)

    def turn(self, wishes: Iterable[WakeReason]) -> bool:
        """Do what is due, and what was wished for. True if a round rests: come again at once."""
        self._rested = False
        if WakeReason.INGEST in wishes:
            self._chores.read(self.settings, self.settings.sources)
        self._step("tick", lambda: self._tick(self._turn_by_turn(self._next_slot())))
        if self._steady() >= self._post_at:
            self._step("notices", self._post)
        if WakeReason.KEEP_HOUSE in wishes:
            self._chores.keep_house(self.settings)
        self._chores.tell()
        return self._rested

    def once(self) -> TickSummary:
        """One turn that waits for each step, and for the end of each round. Raises as `begin`."""
        self._refuse_backup()
        self._chores.read(self.settings, self.settings.sources)
        self._await_sources(float("inf"))
        tally = TickSummary()
        if not self._ending.requested:
            tally = self._tick(self._turn_by_turn(None, lasts=float("inf")))
        if not self._ending.requested:
            self._step("notices", self._post)
            self._chores.keep_house(self.settings)
            self._chores.wait_for_house(_STEP)
            self._chores.tell()
        return tally

    def end(self) -> None:
        """Give what is done aside a moment. Whatever it has not kept by then, is read again."""
        self._tell_ending()
        self._chores.wait_for_sources(min(_LEAVE, self.settings.service.timeout))

    def _refuse_backup(self) -> None:
        with open_database(self.settings.database, Access.READ) as db:
            refuse_backup(db)

    # --- steps ---

    def _step(self, name: str, step: Callable[[], object]) -> None:
        if self._ending.requested:
            return
        self.standing.pulse.beat(_STEP)
        try:
            step()
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  # told, and tried again: that is the service
            self.standing.trouble |= {name}
            self.reporter.failed(f"{name}-failed", error)
        else:
            self.standing.trouble -= {name}
            self.reporter.went_well(f"{name}-failed")

    def _tick(self, ends: CancelScope) -> TickSummary:
        self.reporter.tick_begins()
        tally = tick(
            self.settings,
            now=self._now(),
            clock=self._now,
            transport=self._carrier,
            tell=self.reporter.tell,
            ends=ends,
        )
        self.reporter.tick_ended()
        self.standing.pulse.ticked()
        return tally

    def _post(self) -> None:
        def tell(notice: Notification) -> None:
            self._log.warning("notice", notice.subject)

        told = send_notifications(
            self.settings, now=self._now(), transport=self._carrier, tell=tell
        )
        self._post_at = self._steady() + _BETWEEN_POSTS
        if told:
            self._log.info("owner-told", notices=told)

    def _carrier(self) -> CountingTransport:
        """The transport. It is the same one each time, so that it keeps the limits of relays."""
        if self._carriers is None or self._carriers[0] is not self.settings:
            made = CountingTransport(transport_for(self.settings), self.standing.messages)
            self._carriers = self.settings, made
        return self._carriers[1]

    def _read_stale_sources(self) -> None:
        due = stale_sources(self.settings, self.settings.service.ingest_every, now=self._now())
        self._chores.read(self.settings, due)

    def _await_sources(self, seconds: float) -> None:
        until = self._steady() + seconds
        while self._chores.reading and self._steady() < until and not self._ending.requested:
            self.standing.pulse.beat(_LOOK)
            self._chores.wait_for_sources(0.2)
        self._chores.tell()

    # --- rounds ---

    def _next_slot(self) -> datetime | None:
        now = self._now()
        coming = []
        for newsletter in self.settings.newsletters.values():
            # A timetable that cannot be read is the tick's to tell, and no other newsletter's loss.
            with suppress(Exception):
                coming.append(next_slot(newsletter, now))
        return min((slot.at for slot in coming if slot is not None), default=None)

    def _turn_by_turn(self, next_slot: datetime | None, *, lasts: float = TURN) -> CancelScope:
        @contextmanager
        def ends(stop: CancelToken) -> Iterator[None]:
            def goes_on() -> bool:
                slot_came = next_slot is not None and self._now() >= next_slot
                return not slot_came and self._lease.is_ours

            def look() -> bool:
                self.standing.pulse.beat(_LOOK)
                if self._ending.requested:
                    self._tell_ending()
                return turn.look()

            turn = TimeSlice(
                stop,
                lasts=lasts,
                goes_on=goes_on,
                call_off=self._carrier().call_off,
                steady=self._steady,
            )
            with self._ending.of_round(stop, look=look):
                yield
            self._rested |= stop.rests

        return ends

    def _tell_ending(self) -> None:
        if not self._told_ending:
            self._told_ending = True
            self._log.info("ending", "what is under way is finished", timeout=self._ending.timeout)
