"""A delivery: one edition for one subscriber, its states, and the outcome of one attempt.

Expected outcomes of an attempt are values, not exceptions.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from digest.model.subscriber import Recipient


class DeliveryState(StrEnum):
    """How a delivery stands.

    QUEUED: not sent, and may be claimed when it is due. SENDING: claimed by a process. DEFERRED:
    not sent, and queued again later. SENT: a server took the message. REJECTED: it was refused for
    good. UNKNOWN: it may or may not have arrived, and the owner decides. WITHHELD: it is not to be
    sent, such as when the reader left after the edition was prepared.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


#: Not sent, and still to be sent.
WAITING_DELIVERIES: Final = (DeliveryState.QUEUED, DeliveryState.DEFERRED)

#: While a delivery is open, its edition is under way.
OPEN_DELIVERIES: Final = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)

#: Nobody attempts these again, unless the owner says so of an Unknown one.
FINAL_DELIVERIES: Final = tuple(state for state in DeliveryState if state not in OPEN_DELIVERIES)

#: Final, and nobody has to decide anything about them.
SETTLED_DELIVERIES: Final = (DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.WITHHELD)

#: The reader has the edition, or is rightly without it.
COMPLETE_DELIVERIES: Final = (DeliveryState.SENT, DeliveryState.WITHHELD)

#: Final, and the reader may be without the edition.
UNDELIVERED: Final = (DeliveryState.REJECTED, DeliveryState.UNKNOWN)

#: There was at least one attempt.
ATTEMPTED_DELIVERIES: Final = (
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
    DeliveryState.SENT,
    *UNDELIVERED,
)

#: Which state may follow which. A backup that is put back makes every open delivery Unknown.
DELIVERY_TRANSITIONS: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.QUEUED: frozenset(
        {DeliveryState.SENDING, DeliveryState.WITHHELD, DeliveryState.UNKNOWN}
    ),
    # Released, or what an attempt came to.
    DeliveryState.SENDING: frozenset(DeliveryState) - {DeliveryState.SENDING},
    DeliveryState.DEFERRED: frozenset({DeliveryState.QUEUED, DeliveryState.UNKNOWN}),
    # The owner has it sent again, or leaves it.
    DeliveryState.UNKNOWN: frozenset({DeliveryState.QUEUED, DeliveryState.WITHHELD}),
    DeliveryState.SENT: frozenset(),
    DeliveryState.REJECTED: frozenset(),
    DeliveryState.WITHHELD: frozenset(),
}


def count_in(counts: Mapping[DeliveryState, int], states: Iterable[DeliveryState]) -> int:
    """How many deliveries are in one of these states."""
    return sum(counts[state] for state in states)


def is_complete(counts: Mapping[DeliveryState, int]) -> bool:
    """Whether each reader has the edition, or is rightly without it."""
    return count_in(counts, COMPLETE_DELIVERIES) == sum(counts.values())


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's reply: the code of RFC 5321 section 4.2, RFC 3463's where given, and its text."""

    code: int
    text: str
    enhanced: str | None = None

    def __str__(self) -> str:
        code = f"{self.code} {self.enhanced}" if self.enhanced else str(self.code)
        return f"{code} {self.text}" if self.text else code


_REPLY_CODE: Final = re.compile(r"[245][0-9]{2}(?: [245]\.[0-9]{1,3}\.[0-9]{1,3})?\b")


def reply_code(reply: str) -> str | None:
    """The codes of a reply that was stored as text; None for the text of something else."""
    code = _REPLY_CODE.match(reply)
    return code[0] if code else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """2yz after the final dot: the server is responsible for it now (RFC 5321 section 4.2.5)."""

    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """4yz, or the connection failed before the final dot: not sent, and worth another attempt.

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
    """The connection broke between the final dot and its reply: it may or may not have arrived."""

    reason: str


Outcome = Accepted | Deferred | Rejected | Unknown
