"""Changes to a list, gathered first and written in a few statements, each with its receipt."""

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

    `wording` is what a reader agreed to; without it the receipt says that the owner vouches.
    `numbered` adds the line of the file to the origin of each receipt.
    """

    newsletter: str
    now: datetime
    origin: str
    tokens: Callable[[], str]
    wording: str | None = None
    numbered: bool = False


class SubscriberChanges:
    """What is to be written, in one transaction that has begun before `next_id` was asked for."""

    def __init__(self, circumstances: ChangeContext, *, next_id: int) -> None:
        self._given = circumstances
        self._next_id = next_id
        self._new_people: list[Subscriber] = []
        self._changed_people: list[Subscriber] = []
        self._new: list[Subscription] = []
        self._states: list[tuple[Subscription, SubscriptionState]] = []
        self._topics: list[tuple[Subscription, tuple[str, ...]]] = []
        self._suppressed: list[ImportedReader] = []
        self._receipts: list[Consent] = []

    def add(self, reader: ImportedReader, person: Subscriber | None) -> None:
        """Put somebody on the list who is not on it; `person` if we know them from another one.

        A suppressed address that comes alone is kept as just that: no person is made of it.
        """
        standing = reader.standing
        if standing is MembershipStatus.SUPPRESSED:
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
                newsletter=self._given.newsletter,
                state=state_for(standing),
                since=reader.since or self._given.now,
                token=self._given.tokens(),
                topics=reader.topics,
            )
        )
        agreed = self._given.wording or _VOUCHED
        because = f": {reader.reason}" if reader.reason else ""
        wording = (
            agreed if standing is MembershipStatus.ACTIVE else f"listed as {standing}{because}"
        )
        self._receipt(person.id, _ACTIONS[standing], wording, reader)

    def update(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Take over what a row says of an active reader."""
        person = subscription.subscriber
        said = self._change(person, reader)
        if reader.topics and reader.topics != subscription.topics:
            self._topics.append((subscription, reader.topics))
            said.append("topics")
        self._receipt(person.id, Action.CHANGED, ", ".join(said), reader)

    def take_out(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Let somebody go whom the list still has: paused, unsubscribed or suppressed."""
        if reader.standing is MembershipStatus.SUPPRESSED:
            self._suppressed.append(reader)
        if reader.standing is not MembershipStatus.SUPPRESSED:
            self._states.append((subscription, state_for(reader.standing)))
        action, wording = _ACTIONS[reader.standing], reader.reason or "as the file says"
        self._receipt(
            subscription.subscriber.id, action, wording, reader, newsletter=subscription.newsletter
        )

    def bring_back(self, reader: ImportedReader, subscription: Subscription) -> None:
        """Make somebody active again who asked for it; the wording says how."""
        person = subscription.subscriber
        self._change(person, reader)
        self._states.append((subscription, SubscriptionState.ACTIVE))
        if reader.topics:
            self._topics.append((subscription, reader.topics))
        self._receipt(person.id, Action.RETURNED, self._given.wording or _VOUCHED, reader)

    def write(self, db: Database) -> None:
        """Write everything."""
        given = self._given
        subscribers.insert(db, self._new_people, at=given.now)
        subscribers.update(db, self._changed_people)
        subscriptions.insert(db, self._new)
        subscriptions.set_states(db, self._states, since=given.now)
        subscriptions.set_topics(db, self._topics)
        for reader in self._suppressed:
            reason = reader.reason or given.origin
            since = reader.since or given.now
            suppressions.suppress(db, reader.email, reason=reason, since=since)
        subscribers.record(db, self._receipts)

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

    def _receipt(
        self,
        subscriber_id: int,
        action: Action,
        wording: str,
        reader: ImportedReader,
        newsletter: str | None = None,
    ) -> None:
        given = self._given
        self._receipts.append(
            Consent(
                subscriber_id=subscriber_id,
                newsletter=newsletter or given.newsletter,
                action=action,
                wording=wording,
                origin=f"{given.origin} line {reader.line}" if given.numbered else given.origin,
                at=given.now,
            )
        )
