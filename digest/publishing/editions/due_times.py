"""Hours: when a reader is due, by the newsletter's clock or by their own."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from digest.model.newsletter import Newsletter
from digest.model.schedule import DeliverAt
from digest.model.slot import Slot, instant_of
from digest.storage.database import Database
from digest.storage.subscriptions import zones

#: The zone of readers who gave none: the newsletter's own.
NO_ZONE: Final = ""


def hours(db: Database, newsletter: Newsletter, slot: Slot) -> Mapping[str, datetime] | None:
    """The hour of the readers of each zone, and of NO_ZONE; None where all have the slot's."""
    match newsletter.timing.deliver_at:
        case DeliverAt.NEWSLETTER:
            return None
        case DeliverAt.READER:
            return hours_in(newsletter, slot, zones(db, newsletter.key))


def hours_in(newsletter: Newsletter, slot: Slot, names: Iterable[str]) -> Mapping[str, datetime]:
    """The slot's wall time in each of these zones; unknown ones have the newsletter's hour."""
    known = {name: instant_of(slot.wall, _zone(name, newsletter)) for name in names}
    return known | {NO_ZONE: slot.at}


def earliest_hour(db: Database, newsletter: Newsletter, slot: Slot) -> datetime:
    """When the first readers of a slot are due: then its edition must be there."""
    found = hours(db, newsletter, slot)
    return min(found.values()) if found else slot.at


def resting(newsletter: Newsletter, names: Iterable[str], now: datetime) -> tuple[str, ...]:
    """The zones, of these and NO_ZONE, in which it is a quiet hour now.

    Where editions go to all at once, the newsletter's own quiet hours hold for everybody.
    """
    quiet = newsletter.timing.quiet_hours
    if quiet is None:
        return ()
    everybody = (*names, NO_ZONE)
    if newsletter.timing.deliver_at is DeliverAt.NEWSLETTER:
        rests = now.astimezone(newsletter.timezone).time() in quiet
        return everybody if rests else ()
    return tuple(
        name for name in everybody if now.astimezone(_zone(name, newsletter)).time() in quiet
    )


def next_awake(newsletter: Newsletter, resting: Iterable[str], now: datetime) -> datetime:
    """When the quiet hours end in the first of these zones. Raises ValueError without any."""
    quiet = newsletter.timing.quiet_hours
    if quiet is None:
        raise ValueError(f"{newsletter.key} has no quiet hours")
    all_at_once = newsletter.timing.deliver_at is DeliverAt.NEWSLETTER
    places = {newsletter.timezone} if all_at_once else {_zone(z, newsletter) for z in resting}
    return min(_next(quiet.end, place, now) for place in places)


def _next(moment: time, zone: ZoneInfo, after: datetime) -> datetime:
    """The next instant at which a clock in this zone shows a time."""
    today = datetime.combine(after.astimezone(zone).date(), moment)
    coming = (instant_of(today + timedelta(days=n), zone) for n in range(3))
    return next(instant for instant in coming if instant > after)


def _zone(name: str, newsletter: Newsletter) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else newsletter.timezone
    except (LookupError, ValueError, OSError):
        # Stored by a version that knew it; the hour of the house will do.
        return newsletter.timezone
