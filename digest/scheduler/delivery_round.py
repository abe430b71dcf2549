"""Rounds: bring the editions under way to whoever is due, and say when to look again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from digest.model.delivery import DeliveryState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.queue import Clock, QuietZones, no_quiet_zones
from digest.publishing.delivery.report import Progress, Report
from digest.publishing.delivery.run import DeliveryContext, RunPlan, SenderSession, deliver
from digest.publishing.editions.due_times import quiet_hours_end, zones_in_quiet_hours
from digest.sender.transport import Transport
from digest.storage import deliveries, delivery_stats
from digest.storage.database import Database
from digest.storage.subscriptions import zones

#: A server that is at fault is tried again after a quarter of the time that it has been so.
_SOONEST: Final = timedelta(minutes=1)
_LATEST: Final = timedelta(minutes=30)


def run_round(
    session: SenderSession,
    edition: Edition,
    *,
    now: datetime,
    clock: Clock,
    transport: Callable[[], Transport],
    cancel: CancelToken,
) -> Report | None:
    """Deliver what is due of an edition at `now`; None if nothing is.

    Afterwards the edition sleeps until somebody else of its readers is due. Raises Interrupted.
    """
    edition_id, newsletter = edition.stored_id, session.newsletter
    deliveries.requeue(session.db, edition_id, now, before_their_hour=False)
    next_hour = delivery_stats.next_delivery_at(session.db, edition_id)
    if next_hour is not None and next_hour > now:
        delivery_stats.snooze_edition(session.db, edition_id, next_hour)
        return None
    quiet_zones = _quiet_zones(session.db, newsletter)
    quiet = quiet_zones(now)
    if quiet and not delivery_stats.has_due_outside(session.db, edition_id, now, quiet):
        delivery_stats.snooze_edition(
            session.db, edition_id, quiet_hours_end(newsletter, quiet, now)
        )
        return None
    context = DeliveryContext(
        session=session,
        transport=transport(),
        clock=clock,
        progress=_nobody_looks,
        cancel=cancel,
        quiet_zones=quiet_zones,
    )
    report = deliver(context, edition, resumed=True)
    if not report.interrupted:
        delivery_stats.snooze_edition(
            session.db, edition_id, _wakes_at(session.db, edition_id, report, clock())
        )
    return report


def _quiet_zones(db: Database, newsletter: Newsletter) -> QuietZones:
    if newsletter.timing.quiet_hours is None:
        return no_quiet_zones
    names = zones(db, newsletter.key)
    return lambda now: zones_in_quiet_hours(newsletter, names, now)


def _wakes_at(db: Database, edition_id: int, report: Report, now: datetime) -> datetime | None:
    if report.error is None:
        return delivery_stats.next_delivery_at(db, edition_id)
    trouble = now - delivery_stats.last_progress(db, edition_id, now)
    return now + min(_LATEST, max(_SOONEST, trouble / 4))


def _nobody_looks(_plan: RunPlan) -> Progress:
    return _unseen


def _unseen(state: DeliveryState) -> None:
    """A progress that nobody sees."""
