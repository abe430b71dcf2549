"""The next hour: when a reader is to get the next edition."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from digest.model.newsletter import Newsletter
from digest.model.schedule import DeliverAt
from digest.model.slot import SlotState
from digest.model.subscriber import Subscription, SubscriptionState
from digest.publishing.editions.due_times import NO_ZONE, hours_in
from digest.schedule.timetable import slots_after
from digest.storage import slots
from digest.storage.database import Database

#: Readers of one slot are at most so far apart from the newsletter's own hour.
_FARTHEST: Final = timedelta(hours=27)

#: Among so many slots one is open, or somebody has skipped more of them than anybody would.
_ENOUGH: Final = 500


def next_hour(
    db: Database, newsletter: Newsletter, subscription: Subscription, now: datetime
) -> datetime | None:
    """When this reader gets an edition that is not made yet; None where the schedule has none.

    None, too, for a subscription that is not active. Suppression is the caller's to look at.
    """
    if subscription.state is not SubscriptionState.ACTIVE:
        return None
    hours = islice(_hours(db, newsletter, subscription.subscriber.timezone, now), _ENOUGH)
    return next((hour for hour in hours if hour is not None and hour > now), None)


def _hours(
    db: Database, newsletter: Newsletter, zone: str | None, now: datetime
) -> Iterator[datetime | None]:
    by_reader = newsletter.timing.deliver_at is DeliverAt.READER
    name = zone or NO_ZONE
    for slot in slots_after(newsletter, now - _FARTHEST if by_reader else now):
        record = slots.find(db, newsletter.key, slot.name)
        if record is not None and record.state not in (SlotState.DUE, SlotState.DRAFT):
            yield None
        else:
            yield hours_in(newsletter, slot, [name])[name] if by_reader else slot.at
