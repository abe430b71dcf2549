"""A delivery: one edition for one subscriber."""

from dataclasses import dataclass
from enum import StrEnum

from digest.model.subscriber import Recipient
from digest.model.variant import VariantKey


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
    """One edition for one subscriber. The pair is unique in the ledger."""

    id: int
    edition_id: int
    variant: VariantKey
    recipient: Recipient
    attempts: int = 0
