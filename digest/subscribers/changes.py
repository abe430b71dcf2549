"""Changes to a list, each with its consent record: gathered, then written in a few statements."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.model.subscriber import (
    Action,
    Consent,
    MembershipStatus,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database
from digest.subscribers.import_policy import state_for, with_values
from digest.subscribers.import_row import ImportedReader

_VOUCHED: Final = "the owner of the list vouches for this reader"

_ACTIONS: Final = {
    MembershipStatus.ACTIVE: Action.SUBSCRIBED,
    MembershipStatus.PENDING: Action.LISTED,
    MembershipStatus.PAUSED: Action.PAUSED,
    MembershipStatus.UNSUBSCRIBED: Action.UNSUBSCRIBED,
    MembershipStatus.SUPPRESSED: Action.SUPPRESSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeContext:
    """Where, when and why changes happen. `tokens` makes a new random token each time.

    `wording` is what a reader agreed to; without it the record says that the owner vouches.
    `numbered` adds the line of the file to the origin of each record.
    """

    newsletter: str
    now: datetime
    origin: str
    tokens: Callable[[], str]
    wording: str | None = None
    numbered: bool = False


class SubscriberChanges:
    """What is to be written, in one transaction that has begun before `next_id` was asked for."""

    def __init__(self, context: ChangeContext, *, next_id: int) -> None:
        self._context = context
        self._next_id = next_id
        self._new_people: list[Subscriber] = []
        self._changed_people: list[Subscriber] = []
        self._new: list[Subscription] = []
        self._states: list[tuple[Subscription, SubscriptionState]] = []
        self._topics: list[tuple[Subscription, tuple[str, ...]]] = []
        self._suppressed: list[ImportedReader] = []
        self._consents: list[Consent] = []

    def add(self, reader: ImportedReader, person: Subscriber | None) -> None:
        """Put somebody on the list who is not on it; `person` if we know them from another one.

        A suppressed address that comes alone is kept as just that: no person is made of it.
        """
        status = reader.status
        if status is MembershipStatus.SUPPRESSED:
            self._suppressed.append(reader)
            if person is None and reader.is_bare:
                return
        if person is None:
            person = self._new_person(reader)
        else:
            self._change(person, reader)
        self._new.append(
            Subscription(
                subscriber=person,
                newsletter=self._context.newsletter,
                state=state_for(status),
                since=reader.since or self._context.now,
                token=self._context.tokens(),
                topics=reader.topics,
            )
        )
        agreed = self._context.wording or _VOUCHED
        because = f": {reader.reason}" if reader.reason else ""
        wording = agreed if status is MembershipStatus.ACTIVE else f"listed as {status}{because}"
        self._record_consent(person.id, _ACTIONS[status], wording, reader)

    def update(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Take over what a row says about an active reader."""
        person = subscription.subscriber
        changed_names = self._change(person, reader)
        if reader.topics and reader.topics != subscription.topics:
            self._topics.append((subscription, reader.topics))
            changed_names.append("topics")
        self._record_consent(person.id, Action.CHANGED, ", ".join(changed_names), reader)

    def take_out(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Take somebody off whom the list still has: paused, unsubscribed or suppressed."""
        if reader.status is MembershipStatus.SUPPRESSED:
            self._suppressed.append(reader)
        else:
            self._states.append((subscription, state_for(reader.status)))
        action, wording = _ACTIONS[reader.status], reader.reason or "as the file says"
        self._record_consent(
            subscription.subscriber.id, action, wording, reader, newsletter=subscription.newsletter
        )

    def bring_back(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Make somebody active again who asked for it; the wording says how."""
        person = subscription.subscriber
        self._change(person, reader)
        self._states.append((subscription, SubscriptionState.ACTIVE))
        if reader.topics:
            self._topics.append((subscription, reader.topics))
        self._record_consent(person.id, Action.RETURNED, self._context.wording or _VOUCHED, reader)

    def write(self, db: Database) -> None:
        """Write everything."""
        context = self._context
        subscribers.insert(db, self._new_people, at=context.now)
        subscribers.update(db, self._changed_people)
        subscriptions.insert(db, self._new)
        subscriptions.set_states(db, self._states, since=context.now)
        subscriptions.set_topics(db, self._topics)
        for reader in self._suppressed:
            reason = reader.reason or context.origin
            since = reader.since or context.now
            suppressions.suppress(db, reader.email, reason=reason, since=since)
        subscribers.record_consents(db, self._consents)

    def _new_person(self, reader: ImportedReader) -> Subscriber:
        person = Subscriber(
            id=self._next_id,
            email=reader.email,
            name=reader.name,
            language=reader.language,
            timezone=reader.timezone,
            fields=reader.fields,
        )
        self._next_id += 1
        self._new_people.append(person)
        return person

    def _change(self, person: Subscriber, reader: ImportedReader) -> list[str]:
        """The names of the values that the row changes."""
        changed = with_values(person, reader)
        names = [
            name
            for name in ("name", "language", "timezone", "fields")
            if getattr(changed, name) != getattr(person, name)
        ]
        if names:
            self._changed_people.append(changed)
        return names

    def _record_consent(
        self,
        subscriber_id: int,
        action: Action,
        wording: str,
        reader: ImportedReader,
        newsletter: str | None = None,
    ) -> None:
        context = self._context
        self._consents.append(
            Consent(
                subscriber_id=subscriber_id,
                newsletter=newsletter or context.newsletter,
                action=action,
                wording=wording,
                origin=f"{context.origin} line {reader.line}"
                if context.numbered
                else context.origin,
                at=context.now,
            )
        )
