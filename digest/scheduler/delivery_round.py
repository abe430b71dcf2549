"""A delivery round: send what is due of an edition, and record when something is due next."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.queue import Clock, QuietZones, no_quiet_zones
from digest.publishing.delivery.run import DeliveryContext, Report, SenderSession, deliver
from digest.publishing.editions.due_times import quiet_hours_end, zones_in_quiet_hours
from digest.sender.transport import Transport
from digest.storage import deliveries, delivery_stats, editions
from digest.storage.database import Database
from digest.storage.subscriptions import zones

#: A server that fails is tried again after a quarter of the time for which it has failed.
_SHORTEST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(minutes=30)


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

    Afterwards nothing of the edition is due until another reader is. Raises Interrupted.
    """
    edition_id, newsletter = edition.stored_id, session.newsletter
    deliveries.requeue(session.db, edition_id, now, before_their_hour=False)
    next_hour = delivery_stats.next_delivery_at(session.db, edition_id)
    if next_hour is not None and next_hour > now:
        editions.snooze(session.db, edition_id, next_hour)
        return None
    quiet_zones = _quiet_zones(session.db, newsletter)
    quiet = quiet_zones(now)
    if quiet and not delivery_stats.has_due_outside(session.db, edition_id, now, quiet):
        editions.snooze(session.db, edition_id, quiet_hours_end(newsletter, quiet, now))
        return None
    context = DeliveryContext(
        session=session,
        transport=transport(),
        clock=clock,
        progress=lambda _plan: lambda state: None,
        cancel=cancel,
        quiet_zones=quiet_zones,
    )
    report = deliver(context, edition, resumed=True)
    if not report.interrupted:
        editions.snooze(
            session.db, edition_id, _next_round_at(session.db, edition_id, report, clock())
        )
    return report


def _quiet_zones(db: Database, newsletter: Newsletter) -> QuietZones:
    if newsletter.timing.quiet_hours is None:
        return no_quiet_zones
    names = zones(db, newsletter.key)
    return lambda now: zones_in_quiet_hours(newsletter, names, now)


def _next_round_at(db: Database, edition_id: int, report: Report, now: datetime) -> datetime | None:
    if report.error is None:
        return delivery_stats.next_delivery_at(db, edition_id)
    failing_for = now - delivery_stats.last_progress(db, edition_id, now)
    return now + min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, failing_for / 4))
