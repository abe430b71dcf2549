"""A delivery: one edition for one subscriber."""

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


def complete(counts: Mapping[DeliveryState, int]) -> bool:
    """Whether every reader surely has the edition, or was rightly passed over."""
    good = counts[DeliveryState.SENT] + counts[DeliveryState.WITHHELD]
    return good == sum(counts.values())
