"""How people stand on a list, and the receipts that say why.

A subscriber, and that person's tie to a newsletter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Only an ACTIVE subscription receives editions."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person on the list. `language` and `timezone` are None where we do not know them."""

    id: int
    email: str
    name: str = ""
    language: str | None = None
    timezone: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A person's tie to one newsletter. No topics means everything.

    `token` is opaque and random; it stands in the links of that person's messages.
    """

    subscriber: Subscriber
    newsletter: str
    state: SubscriptionState
    since: datetime
    token: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What a message needs to know of the reader it is for."""

    email: str
    token: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class MembershipStatus(StrEnum):
    """What a list shows of a person: the state of the subscription, unless suppression outranks it.

    SUPPRESSED is a fact about the address, not the reader's own choice: the state of the
    subscription is kept beneath it.
    """

    ACTIVE = "active"
    PENDING = "pending"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person as one newsletter's list shows them.

    `subscriber` has the id 0 for an address that is suppressed and was never on a list.
    `suppressed_because` is empty unless the standing is SUPPRESSED.
    """

    subscriber: Subscriber
    standing: MembershipStatus
    since: datetime
    topics: tuple[str, ...] = ()
    suppressed_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """How many active readers share their wishes; no language means the newsletter's.

    `answers` are to what the site's templates ask about a reader, in the order of the questions.
    """

    language: str | None
    topics: tuple[str, ...]
    readers: int
    answers: tuple[str, ...] = ()


class Action(StrEnum):
    """What a consent receipt is for."""

    SUBSCRIBED = "subscribed"
    RETURNED = "returned"
    LISTED = "listed"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A receipt: what was agreed to or withdrawn, in which words, when, and where that came from.

    LISTED is somebody who was taken in without being mailed: pending, paused, or gone already.
    """

    subscriber_id: int
    newsletter: str
    action: Action
    wording: str
    origin: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionReceived:
    """What became of one edition for one person, as the ledger has it."""

    newsletter: str
    number: int
    state: str
    reply: str
    finished_at: datetime | None
