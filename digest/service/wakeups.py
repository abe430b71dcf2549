"""The clock: wakes the service. The only place where APScheduler is imported.

Nothing that it stores matters: it is in memory, a wake that is late or lost is made up for by the
next one, and what is due is asked of the database alone.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from digest.scheduler.service.wishes import Wish

#: Seconds between two ticks, aligned: a slot of 07:00:00 is seen to at 07:00:00.
TICK_EVERY: Final = 5

#: When the house is kept, in UTC. Nothing depends on the hour.
_QUIET_HOUR: Final = {"hour": 3, "minute": 17}


class Clock:
    """Adds wishes as time goes by, from a thread of its own, while it is started."""

    def __init__(self, wish: Callable[[Wish], None], *, ingest_every: timedelta) -> None:
        self._wish = wish
        self._ingest_every = ingest_every
        # A wake may be as late as it likes, and many that were missed are one.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin. The first wishes come when their time comes, not at once."""
        self._set_jobs()
        self._scheduler.start()

    def set_again(self, *, ingest_every: timedelta) -> None:
        """Begin anew from the time that it is now: after it was changed, or the settings were.

        APScheduler waits for an instant. When the time goes back, that is further away than meant.
        """
        self._ingest_every = ingest_every
        self._set_jobs()

    def stop(self) -> None:
        """No wish comes any more."""
        self._scheduler.shutdown(wait=False)

    def _set_jobs(self) -> None:
        triggers = {
            Wish.TICK: CronTrigger(second=f"*/{TICK_EVERY}", timezone=UTC),
            Wish.INGEST: IntervalTrigger(seconds=self._ingest_every.total_seconds(), timezone=UTC),
            Wish.KEEP_HOUSE: CronTrigger(**_QUIET_HOUR, timezone=UTC),
        }
        for wish, trigger in triggers.items():
            self._scheduler.add_job(
                self._wish, trigger, args=(wish,), id=wish, replace_existing=True
            )
