"""A subscriber, the subscriptions to newsletters, the segments of readers, and consent receipts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


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
    `suppressed_because` is empty unless the status is SUPPRESSED.
    """

    subscriber: Subscriber
    status: MembershipStatus
    since: datetime
    topics: tuple[str, ...] = ()
    suppressed_because: str = ""


#: A segment field is what a site's templates decide by, and readers are divided by: `name`, or
#: `fields.city`. With HAS before it, it is only whether there is a value, and the answer YES or NO.
FIELD: Final = "fields."
HAS: Final = "has "
YES: Final = "yes"
NO: Final = "no"


def answers_of(
    segment_fields: Iterable[str], name: str, fields: Mapping[str, str]
) -> tuple[str, ...]:
    """The answers of a reader with this name and these fields, one for each segment field."""
    return tuple(_answer(segment_field, name, fields) for segment_field in segment_fields)


def _answer(segment_field: str, name: str, fields: Mapping[str, str]) -> str:
    about = segment_field.removeprefix(HAS)
    value = name if about == "name" else str(fields.get(about.removeprefix(FIELD), ""))
    if about == segment_field:
        return value
    return YES if value else NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Readers who get the same variant of an edition, and how many of them are active.

    No language means the newsletter's, no topics everything. `answers` are to the segment fields
    of the site's templates, in their order.
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
