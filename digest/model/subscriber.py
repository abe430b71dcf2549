"""A subscriber, and that person's tie to a newsletter."""

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
