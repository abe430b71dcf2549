"""The service: of all the processes that may do it, one sees to everything at its time.

The main thread does the work, one thing after the other, and is woken by timers and by signals.
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
from digest.storage.locks import Lease, held_by

#: Seconds between two tries to take the lease.
_TRY_LEASE_EVERY: Final = 2.0

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
        self._wake_queue = WakeQueue()
        self._shutdown = Shutdown(
            timeout=settings.service.timeout,
            when_idle=self._wake_queue.wake,
            on_hangup=lambda: self._wake_queue.add(WakeReason.RELOAD),
        )
        self._lease = Lease(settings.database)
        self._steps = ServiceSteps(
            settings, self._shutdown, self._lease, log=log, now=now, steady=steady
        )
        self._state = self._steps.state
        self._timer = WakeupTimer(self._wake_queue.add, ingest_every=settings.service.ingest_every)
        self._clock_jump = ClockJump()
        self._http_wanted = settings.service.port is not None
        self._open = ExitStack()

    def run(self) -> bool:
        """Stand by while another process is at work, then do the work, until we are told to end.

        True if everything under way was finished. Raises LedgerError if the lease was taken away,
        Held for a backup that was put back, and StorageErrors at the start.
        """
        with self._shutdown.on_signals(), self._open:
            self._open.enter_context(Watchdog(self._supervisor, self._state.heartbeat))
            self._state.heartbeat.beat(_IDLE)
            self._log.info("started", database=str(self._steps.settings.database))
            with self._lease:
                try:
                    if self._wait_for_lease():
                        self._lead()
                except (Interrupted, KeyboardInterrupt):
                    if not self._shutdown.requested:
                        raise
                self._end()
        return not self._shutdown.at_once

    def once(self) -> TickSummary:
        """One pass: sources, slots, readers who are due, notices. Raises AlreadyRunning."""
        with self._shutdown.on_signals(), self._lease:
            if self._lease.take(self._now()) is None:
                raise AlreadyRunning(
                    "`digest run` is already running on this database: the lease is"
                    f" {self._held_by()}",
                    hint="It does everything that is due; this command has changed nothing.",
                )
            self._state.role = Role.LEADING
            return self._steps.run_once()

    def _wait_for_lease(self) -> bool:
        """Wait for the lease; False if we are told to end before it is ours."""
        logged: str | None = None
        while not self._shutdown.requested:
            self._serve_http()
            if holder := self._lease.take(self._now()):
                self._state.role, self._state.holder = Role.LEADING, holder
                self._log.info("leading", pid=holder.pid)
                self._supervisor.status("active")
                self._supervisor.ready()
                return True
            if logged != (who := self._held_by()):
                logged = who
                self._state.role = Role.STANDING_BY
                self._state.holder = self._lease.holder()
                self._log.info("standing-by", f"the lease is {who}")
                self._supervisor.status(f"waiting: the lease is {who}")
                self._supervisor.ready()
            self._state.heartbeat.beat(_IDLE)
            self._wake_queue.wait(_TRY_LEASE_EVERY)
            self._wake_queue.take()
        return False

    def _lead(self) -> None:
        self._steps.begin()
        self._timer.start()
        self._open.callback(self._timer.stop)
        while not self._shutdown.requested:
            self._lease.check()
            self._serve_http()
            reasons = self._wake_queue.take()
            self._notice_clock_jump()
            if WakeReason.RELOAD in reasons:
                self._reload()
            if self._steps.run_pass(reasons):
                self._wake_queue.add(WakeReason.TICK)  # a paused run continues at once
            self._state.heartbeat.beat(_IDLE)
            if not self._shutdown.requested:
                # Longer than the timer takes: it wakes us, unless something is wrong with it.
                self._wake_queue.wait(2 * TICK_EVERY)

    def _end(self) -> None:
        self._state.role = Role.ENDING
        self._supervisor.stopping()
        self._steps.end()
        self._log.info("ended", drained=not self._shutdown.at_once)

    def _held_by(self) -> str:
        return held_by(self._lease.holder())

    def _notice_clock_jump(self) -> None:
        by = self._clock_jump.step(self._now(), self._steady())
        if by is not None:
            self._log.warning("clock-changed", "no slot is lost or sent twice", by=str(by))
            self._timer.restart(ingest_every=self._steps.settings.service.ingest_every)

    def _reload(self) -> None:
        self._supervisor.reloading()
        try:
            settings = _require_reloadable(self._steps.settings, self._load())
        except DigestError as error:
            self._log.error("reload-refused", error, kept="the previous settings")
        else:
            self._steps.settings = settings
            self._log.form, self._log.secrets = settings.service.log, secrets_of(settings)
            self._shutdown.timeout = settings.service.timeout
            self._timer.restart(ingest_every=settings.service.ingest_every)
            self._log.info("reloaded", newsletters=len(settings.newsletters))
        self._supervisor.ready()

    def _serve_http(self) -> None:
        """Serve health and metrics, as soon as the port is free: one on standby may wait."""
        port = self._steps.settings.service.port
        if port is None or not self._http_wanted:
            return
        server = HttpServer(port, pages(lambda: self._steps.settings, self._state))
        try:
            self._open.enter_context(server)
        except DigestError as error:
            self._steps.reporter.failed("http-failed", error)
        else:
            self._http_wanted = False
            self._steps.reporter.succeeded("http-failed")
            self._log.info("http-started", port=server.port)


def _require_reloadable(before: Settings, settings: Settings) -> Settings:
    """The new settings. Raises DigestError where they ask for what a running service cannot do."""
    same_port = settings.service.port == before.service.port
    if settings.database != before.database or not same_port:
        raise DigestError(
            "database.path and service.port are read at the start only",
            hint="Restart the service to change them.",
        )
    return settings
