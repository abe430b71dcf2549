"""One person at a time: joining, coming back, leaving, being kept out for good, and the record."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.errors import SubscriberError
from digest.model.subscriber import (
    Consent,
    EditionReceived,
    MembershipStatus,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database
from digest.storage.suppressions import Suppression
from digest.subscribers.address import for_people
from digest.subscribers.changes import ChangeContext, SubscriberChanges
from digest.subscribers.import_policy import ImportResult, decide
from digest.subscribers.import_row import ImportedReader


def add(db: Database, reader: ImportedReader, context: ChangeContext) -> ImportResult:
    """Put a reader on the list, or take over new values of one who is on it.

    Somebody who left, paused or never confirmed comes back only where `context.wording`
    holds the words in which that person asked for it. Raises SubscriberError for whoever must not
    be added; a suppressed address never is.
    """
    newsletter = context.newsletter
    with db.transaction():
        if suppression := suppressions.find(db, reader.email):
            raise SubscriberError(
                f"{reader.email} must never be mailed: {suppression.reason!r},"
                f" since {suppression.since:%Y-%m-%d}",
                hint="A suppressed address is not added again.",
            )
        known = subscriptions.find(db, newsletter, reader.email)
        result = decide(reader, known, suppressed=False)
        changes = SubscriberChanges(context, next_id=subscribers.next_id(db))
        match result:
            case ImportResult.ADDED:
                changes.add(reader, subscribers.find(db, reader.email))
            case ImportResult.UPDATED if known is not None:
                changes.update(reader, known)
            case ImportResult.LEFT if known is not None:
                if not context.wording:
                    raise _only_the_reader(reader.email, known)
                changes.bring_back(reader, known)
                result = ImportResult.ADDED
            case _:
                pass
        changes.write(db)
    return result


def _only_the_reader(email: str, known: Subscription) -> SubscriberError:
    action = {
        SubscriptionState.UNSUBSCRIBED: "left",
        SubscriptionState.PAUSED: "paused",
        SubscriptionState.PENDING: "has not confirmed",
    }[known.state]
    return SubscriberError(
        f"{email} {action} on {known.since:%Y-%m-%d}; only the reader can change that",
        hint="If the reader asked for it, say in which words: --consent 'by phone, 12 March'",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveResult:
    """What came of taking somebody off a list. `already`: nothing had to be done."""

    email: str
    already: bool


def unsubscribe(db: Database, email: str, reason: str, context: ChangeContext) -> LeaveResult:
    """Take a reader off a newsletter's list. Raises SubscriberError for who is not on it."""
    with db.transaction():
        known = subscriptions.find(db, context.newsletter, email)
        if known is None:
            raise SubscriberError(
                f"{for_people(email)} is not on the list of {context.newsletter}",
                hint="`digest subscribers suppress` keeps an address out that is not on the list.",
            )
        left = known.state is SubscriptionState.UNSUBSCRIBED
        if not left:
            _take_out(db, (known,), MembershipStatus.UNSUBSCRIBED, reason, context)
    return LeaveResult(email=email, already=left)


def suppress(db: Database, email: str, reason: str, context: ChangeContext) -> LeaveResult:
    """Keep an address from ever being mailed, by any newsletter, whether it is on a list or not."""
    with db.transaction():
        done = suppressions.suppress(db, email, reason=reason, since=context.now)
        person = subscribers.find(db, email)
        if done and person is not None:
            known = subscriptions.of(db, person)
            _take_out(db, known, MembershipStatus.SUPPRESSED, reason, context)
    return LeaveResult(email=email, already=not done)


def _take_out(
    db: Database,
    known: Iterable[Subscription],
    status: MembershipStatus,
    reason: str,
    context: ChangeContext,
) -> None:
    changes = SubscriberChanges(context, next_id=subscribers.next_id(db))
    for subscription in known:
        email = subscription.subscriber.email
        leaver = ImportedReader(email=email, status=status, reason=reason)
        changes.take_out(leaver, subscription)
    changes.write(db)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRecord:
    """What is known about an address. `subscriber` is None if it is suppressed and nothing else."""

    email: str
    subscriber: Subscriber | None
    suppression: Suppression | None
    subscriptions: tuple[Subscription, ...] = ()
    consents: tuple[Consent, ...] = ()
    received: tuple[EditionReceived, ...] = ()


def record_of(db: Database, email: str) -> SubscriberRecord:
    """The record of an address. Raises SubscriberError for one that nothing is known about."""
    subscriber = subscribers.find(db, email)
    suppression = suppressions.find(db, email)
    if subscriber is None:
        if suppression is None:
            raise SubscriberError(
                f"{for_people(email)} is on no list",
                hint="`digest subscribers list` shows who is on the list.",
            )
        return SubscriberRecord(email=email, subscriber=None, suppression=suppression)
    return SubscriberRecord(
        email=subscriber.email,
        subscriber=subscriber,
        suppression=suppression,
        subscriptions=subscriptions.of(db, subscriber),
        consents=subscribers.consents_of(db, subscriber.id),
        received=subscribers.editions_received(db, subscriber.id),
    )
