"""What one attempt to hand over a message came to. Expected results are values, not exceptions.

A delivery: one edition for one subscriber.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.subscriber import Recipient


class DeliveryState(StrEnum):
    """Where a delivery stands.

    QUEUED and DEFERRED are surely not sent and go out when the edition is taken up again. SENDING
    is claimed by a living process. SENT, REJECTED, UNKNOWN and WITHHELD are final; WITHHELD means
    that the reader left, was suppressed or paused between preparing and sending.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One edition for one subscriber; the pair is unique in the ledger. `variant` is its name.

    `attempts` counts this one; `first_attempt_at` is when it was deferred for the first time.
    """

    id: int
    variant: str
    recipient: Recipient
    attempts: int = 1
    first_attempt_at: datetime | None = None


def is_complete(counts: Mapping[DeliveryState, int]) -> bool:
    """Whether every reader surely has the edition, or was rightly passed over."""
    good = counts[DeliveryState.SENT] + counts[DeliveryState.WITHHELD]
    return good == sum(counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's reply: the code of RFC 5321 section 4.2, RFC 3463's where given, and its text."""

    code: int
    text: str
    enhanced: str | None = None

    def __str__(self) -> str:
        code = f"{self.code} {self.enhanced}" if self.enhanced else str(self.code)
        return f"{code} {self.text}" if self.text else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """2yz after the final dot: the server has taken responsibility (RFC 5321 section 4.2.5)."""

    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """4yz, or the connection failed before the final dot: surely not sent, worth another try.

    `reply` is None where no server answered; `reason` then says what happened.
    """

    reason: str
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """5yz for this recipient or this message, or an address that cannot be mailed from here."""

    reason: str
    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The line was lost between the final dot and its reply: it may or may not have arrived."""

    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown
