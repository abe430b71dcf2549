"""Everything that is known about one address."""

from dataclasses import dataclass

from digest.errors import AudienceError
from digest.model.subscriber import Consent, Received, Subscriber, Subscription
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database
from digest.storage.suppressions import Suppression
from digest.subscribers.address import for_people


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known about an address. `subscriber` is None if it is suppressed and nothing else."""

    email: str
    subscriber: Subscriber | None
    suppression: Suppression | None
    subscriptions: tuple[Subscription, ...] = ()
    subscribers: tuple[Consent, ...] = ()
    received: tuple[Received, ...] = ()


def record_of(db: Database, email: str) -> Record:
    """The record of an address. Raises AudienceError for one that nothing is known about."""
    subscriber = subscribers.find(db, email)
    suppression = suppressions.find(db, email)
    if subscriber is None:
        if suppression is None:
            raise AudienceError(
                f"{for_people(email)} is on no list", hint="digest subscribers list shows who is."
            )
        return Record(email=email, subscriber=None, suppression=suppression)
    return Record(
        email=subscriber.email,
        subscriber=subscriber,
        suppression=suppression,
        subscriptions=subscriptions.of(db, subscriber),
        consents=subscribers.of(db, subscriber.id),
        received=subscribers.received(db, subscriber.id),
    )
