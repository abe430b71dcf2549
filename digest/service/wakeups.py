"""Wake-ups: what the main loop waits for. The only place where APScheduler is imported.

Nothing that APScheduler stores matters: it is in memory, a wake-up that is late or lost is made up
for by the next one, and what is due is asked of the database alone.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

#: Smaller jumps are usual: time servers make them.
_NOTABLE: Final = timedelta(seconds=30)


@dataclass(slots=True, kw_only=True)
class ClockJump:
    """Compares the time of day with a clock that only goes forward, whose zero is anywhere."""

    _zero: datetime | None = field(default=None, init=False)

    def step(self, now: datetime, steady: float) -> timedelta | None:
        """How far the time of day was set forward (or back, if negative) since the last look.

        `steady` is in seconds. None where it went on as time does.
        """
        zero = now - timedelta(seconds=steady)
        before, self._zero = self._zero, zero
        if before is None or abs(zero - before) < _NOTABLE:
            if before is not None:
                self._zero = before  # so that many small steps are noticed together
            return None
        return zero - before


class WakeReason(StrEnum):
    """TICK: do what is due. INGEST: read the sources. PRUNE: old records. RELOAD: the settings."""

    TICK = "tick"
    INGEST = "ingest"
    PRUNE = "prune"
    RELOAD = "reload"


class WakeQueue:
    """A set of reasons that one thread waits for. The same reason twice is one."""

    def __init__(self) -> None:
        # Not a threading.Event: a signal handler runs in the middle of the main thread, and would
        # wait for ever for a lock that the main thread holds. Only this queue may be put to there.
        self._reasons: SimpleQueue[WakeReason | None] = SimpleQueue()

    def add(self, reason: WakeReason) -> None:
        """Wake whoever waits. Safe from any thread and in a signal handler."""
        self._reasons.put(reason)

    def wake(self) -> None:
        """Wake whoever waits, for no reason of these. Safe in a signal handler."""
        self._reasons.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until there is a reason to wake, or for so long. Signals are handled meanwhile."""
        with suppress(Empty):
            self._reasons.put(self._reasons.get(timeout=seconds))

    def take(self) -> frozenset[WakeReason]:
        """The reasons so far; they are forgotten."""
        # What comes meanwhile is for the next time.
        taken = [self._reasons.get_nowait() for _ in range(self._reasons.qsize())]
        return frozenset(reason for reason in taken if reason is not None)


#: Seconds between two ticks, aligned: a slot of 07:00:00 is processed at 07:00:00.
TICK_EVERY: Final = 5

#: When old records are pruned, in UTC. Nothing depends on the hour.
_PRUNE_AT: Final = {"hour": 3, "minute": 17}


class WakeupTimer:
    """Adds reasons as time goes by, from a thread of its own, while it is started."""

    def __init__(self, add: Callable[[WakeReason], None], *, ingest_every: timedelta) -> None:
        self._add = add
        self._ingest_every = ingest_every
        # A wake may be as late as it likes, and many that were missed are one.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin. The first reasons come when their time comes, not at once."""
        self._set_jobs()
        self._scheduler.start()

    def restart(self, *, ingest_every: timedelta) -> None:
        """Count from the time that it is now: after the clock was set, or the settings changed.

        APScheduler waits for an instant. When the time goes back, that is further away than meant.
        """
        self._ingest_every = ingest_every
        self._set_jobs()

    def stop(self) -> None:
        """No reason is added any more."""
        self._scheduler.shutdown(wait=False)

    def _set_jobs(self) -> None:
        triggers = {
            WakeReason.TICK: CronTrigger(second=f"*/{TICK_EVERY}", timezone=UTC),
            WakeReason.INGEST: IntervalTrigger(
                seconds=self._ingest_every.total_seconds(), timezone=UTC
            ),
            WakeReason.PRUNE: CronTrigger(**_PRUNE_AT, timezone=UTC),
        }
        for reason, trigger in triggers.items():
            self._scheduler.add_job(
                self._add, trigger, args=(reason,), id=reason, replace_existing=True
            )
