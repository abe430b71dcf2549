"""When readers are due: at the newsletter's time, or at the same wall time in their own zone."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from digest.model.newsletter import Newsletter
from digest.model.schedule import DeliverAt
from digest.model.slot import Slot, instant_of
from digest.model.subscriber import Subscription, SubscriptionState
from digest.schedule.timetable import slots_after
from digest.storage import slots
from digest.storage.database import Database
from digest.storage.subscriptions import zones

#: The zone of readers who gave none: the newsletter's own.
NO_ZONE: Final = ""


def due_times(db: Database, newsletter: Newsletter, slot: Slot) -> Mapping[str, datetime] | None:
    """When the readers of each zone and of NO_ZONE are due; None where all are at the slot's."""
    match newsletter.timing.deliver_at:
        case DeliverAt.NEWSLETTER:
            return None
        case DeliverAt.READER:
            return wall_times_in(newsletter, slot, zones(db, newsletter.key))


def wall_times_in(
    newsletter: Newsletter, slot: Slot, names: Iterable[str]
) -> Mapping[str, datetime]:
    """The slot's wall time in each of these zones; in unknown ones, the newsletter's."""
    known = {name: instant_of(slot.wall, _zone(name, newsletter)) for name in names}
    return known | {NO_ZONE: slot.at}


def earliest_due_time(db: Database, newsletter: Newsletter, slot: Slot) -> datetime:
    """When the first readers of a slot are due: then its edition must be there."""
    by_zone = due_times(db, newsletter, slot)
    return min(by_zone.values()) if by_zone else slot.at


def zones_in_quiet_hours(
    newsletter: Newsletter, names: Iterable[str], now: datetime
) -> tuple[str, ...]:
    """The zones, of these and NO_ZONE, in which it is a quiet hour now.

    Where editions go to all at once, the newsletter's own quiet hours hold for everybody.
    """
    quiet = newsletter.timing.quiet_hours
    if quiet is None:
        return ()
    everybody = (*names, NO_ZONE)
    if newsletter.timing.deliver_at is DeliverAt.NEWSLETTER:
        is_quiet = now.astimezone(newsletter.timezone).time() in quiet
        return everybody if is_quiet else ()
    return tuple(
        name for name in everybody if now.astimezone(_zone(name, newsletter)).time() in quiet
    )


def quiet_hours_end(newsletter: Newsletter, names: Iterable[str], now: datetime) -> datetime:
    """When the quiet hours end in the first of these zones. Raises ValueError without any."""
    quiet = newsletter.timing.quiet_hours
    if quiet is None:
        raise ValueError(f"{newsletter.key} has no quiet hours")
    all_at_once = newsletter.timing.deliver_at is DeliverAt.NEWSLETTER
    quiet_zones = (
        {newsletter.timezone} if all_at_once else {_zone(name, newsletter) for name in names}
    )
    return min(_next(quiet.end, zone, now) for zone in quiet_zones)


def _next(moment: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The next instant at which a clock in this zone shows a time."""
    today = datetime.combine(after.astimezone(zone).date(), moment)
    coming = (instant_of(today + timedelta(days=n), zone) for n in range(3))
    return next(instant for instant in coming if instant > after)


def _zone(name: str, newsletter: Newsletter) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else newsletter.timezone
    except (LookupError, ValueError, OSError):
        # Stored by a version that knew it; the newsletter's own zone will do.
        return newsletter.timezone


#: How far the due time of a reader can be from the slot's.
_FARTHEST: Final = timedelta(hours=27)

#: How many slots are searched for an open one; nobody skips more of them.
_MOST_SLOTS: Final = 500


def next_due_time(
    db: Database, newsletter: Newsletter, subscription: Subscription, now: datetime
) -> datetime | None:
    """When this reader gets an edition that is not made yet; None where the schedule has none.

    None, too, for a subscription that is not active. Suppression is the caller's to look at.
    """
    if subscription.state is not SubscriptionState.ACTIVE:
        return None
    times = islice(_due_times(db, newsletter, subscription.subscriber.timezone, now), _MOST_SLOTS)
    return next((due_at for due_at in times if due_at is not None and due_at > now), None)


def _due_times(
    db: Database, newsletter: Newsletter, zone: str | None, now: datetime
) -> Iterator[datetime | None]:
    """When a reader of this zone is due, slot by slot; None for one that is no longer open."""
    by_reader = newsletter.timing.deliver_at is DeliverAt.READER
    name = zone or NO_ZONE
    for slot in slots_after(newsletter, now - _FARTHEST if by_reader else now):
        record = slots.find(db, newsletter.key, slot.name)
        if record is not None and not record.state.is_open:
            yield None
        else:
            yield wall_times_in(newsletter, slot, [name])[name] if by_reader else slot.at
