"""The service: of all the processes that may do it, one sees to everything at its time.

The main thread does the work, one thing after the other, and is woken by the clock and by signals.
Whatever fails is logged once and tried again: the ledger knows what is due. Only a lease that was
taken away ends the service.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Final

from digest.config import Settings
from digest.errors import AlreadyRunning, DigestError, Interrupted
from digest.scheduler.tick import TickSummary
from digest.service.http import HttpServer
from digest.service.log import Log, secrets_of
from digest.service.metrics import pages
from digest.service.shutdown import Shutdown
from digest.service.state import Role
from digest.service.steps import ServiceSteps
from digest.service.systemd import Supervisor, Watchdog
from digest.service.wakeups import TICK_EVERY, ClockJump, WakeQueue, WakeReason, WakeupTimer
from digest.storage.locks import Holder, Lease, held_by

#: Seconds between two tries to take the lease.
_POLL: Final = 2.0

#: Seconds that the main loop may be silent while it waits.
_IDLE: Final = 60.0


class Service:
    """Made and run once, in the main thread. `load` reads the settings anew."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Settings],
        log: Log,
        supervisor: Supervisor,
        now: Callable[[], datetime],
        steady: Callable[[], float],
    ) -> None:
        self._load = load
        self._log = log
        self._supervisor = supervisor
        self._now = now
        self._steady = steady
        self._wishes = WakeQueue()
        self._ending = Shutdown(self._wishes, timeout=settings.service.timeout)
        self._lease = Lease(settings.database)
        self._work = ServiceSteps(
            settings, self._ending, self._lease, log=log, now=now, steady=steady
        )
        self._standing = self._work.standing
        self._clock = WakeupTimer(self._wishes.add, ingest_every=settings.service.ingest_every)
        self._drift = ClockJump()
        self._page_wanted = settings.service.port is not None
        self._open = ExitStack()

    def run(self) -> bool:
        """Stand by while another process is at work, then do the work, until we are told to end.

        True if everything under way was brought to its end. Raises LedgerError if the lease was
        taken away, Held for a backup that was put back, and StorageErrors at the start.
        """
        with self._ending.handling(), self._open:
            self._open.enter_context(Watchdog(self._supervisor, self._standing.pulse))
            self._standing.pulse.beat(_IDLE)
            self._log.info("started", database=str(self._work.settings.database))
            with self._lease:
                try:
                    if self._takes_the_lease():
                        self._lead()
                except (Interrupted, KeyboardInterrupt):
                    if not self._ending.requested:
                        raise
                self._end()
        return not self._ending.at_once

    def once(self) -> TickSummary:
        """One pass: sources, slots, readers who are due, notices. Raises AlreadyRunning."""
        with self._ending.handling(), self._lease:
            if self._lease.take(self._now()) is None:
                raise AlreadyRunning(
                    f"a digest service is at work on this database, {self._who()}",
                    hint="It sees to everything that is due. Nothing was done here.",
                )
            self._standing.role = Role.LEADING
            return self._work.once()

    def _takes_the_lease(self) -> bool:
        """Wait for the lease; False if we are told to end before it is ours."""
        told: str | None = None
        while not self._ending.requested:
            self._open_page()
            if holder := self._lease.take(self._now()):
                self._is(Role.LEADING, holder)
                self._log.info("leading", pid=holder.pid)
                self._supervisor.status("at work")
                self._supervisor.ready()
                return True
            if told != (who := self._who()):
                told = who
                self._is(Role.STANDING_BY, self._lease.holder())
                self._log.info("standing-by", f"the lease is {who}")
                self._supervisor.status(f"standing by: the lease is {who}")
                self._supervisor.ready()
            self._standing.pulse.beat(_IDLE)
            self._wishes.wait(_POLL)
            self._wishes.take()
        return False

    def _lead(self) -> None:
        self._work.begin()
        self._clock.start()
        self._open.callback(self._clock.stop)
        while not self._ending.requested:
            self._lease.check()
            self._open_page()
            wishes = self._wishes.take()
            self._notice_clock()
            if WakeReason.RELOAD in wishes:
                self._reload()
            if self._work.turn(wishes):
                self._wishes.add(WakeReason.TICK)  # somebody rests, and goes on at once
            self._standing.pulse.beat(_IDLE)
            if not self._ending.requested:
                # Longer than the clock takes: it wakes us, unless something is wrong with it.
                self._wishes.wait(2 * TICK_EVERY)

    def _end(self) -> None:
        self._standing.role = Role.ENDING
        self._supervisor.stopping()
        self._work.end()
        self._log.info("ended", drained=not self._ending.at_once)

    def _who(self) -> str:
        return held_by(self._lease.holder())

    def _is(self, role: Role, holder: Holder | None) -> None:
        self._standing.role, self._standing.holder = role, holder

    def _notice_clock(self) -> None:
        by = self._drift.step(self._now(), self._steady())
        if by is not None:
            self._log.warning("clock-was-set", "no slot is lost or doubled", by=str(by))
            self._clock.set_again(ingest_every=self._work.settings.service.ingest_every)

    def _reload(self) -> None:
        self._supervisor.reloading()
        before = self._work.settings
        try:
            settings = _replacing(before, self._load())
        except DigestError as error:
            self._log.error("reload-refused", error, kept="the settings from before")
        else:
            self._work.settings = settings
            self._log.form, self._log.secrets = settings.service.log, secrets_of(settings)
            self._ending.timeout = settings.service.timeout
            self._clock.set_again(ingest_every=settings.service.ingest_every)
            self._log.info("reloaded", newsletters=len(settings.newsletters))
        self._supervisor.ready()

    def _open_page(self) -> None:
        """Serve health and metrics, as soon as the port is to be had: one on standby may wait."""
        port = self._work.settings.service.port
        if port is None or not self._page_wanted:
            return
        server = HttpServer(port, pages(lambda: self._work.settings, self._standing))
        try:
            self._open.enter_context(server)
        except DigestError as error:
            self._work.reporter.failed("page-failed", error)
        else:
            self._page_wanted = False
            self._work.reporter.went_well("page-failed")
            self._log.info("page", port=server.port)


def _replacing(before: Settings, settings: Settings) -> Settings:
    """The new settings. Raises DigestError where they ask for what a running service cannot do."""
    same_port = settings.service.port == before.service.port
    if settings.database != before.database or not same_port:
        raise DigestError(
            "database.path and service.port are read at the start only",
            hint="Restart the service to change them.",
        )
    return settings
