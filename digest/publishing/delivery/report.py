"""What a delivery run reports: each outcome as it comes, and at its end how the edition stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from digest.errors import DigestError
from digest.model.delivery import DeliveryState, is_complete
from digest.model.edition import Edition
from digest.publishing.delivery.cancellation import CancelReason


class Progress(Protocol):
    """Told of each delivery when its outcome is known."""

    def __call__(self, state: DeliveryState) -> None:
        """One more delivery is in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an edition stands after a delivery run.

    `error` is why the run ended early, such as a relay that is at fault; `cancelled` is why it was
    asked to end. `later` are queued and wait for their own hour.
    """

    edition: Edition
    counts: Mapping[DeliveryState, int]
    later: int = 0
    error: DigestError | None = None
    cancelled: CancelReason | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was asked to end, and does not continue by itself."""
        return self.cancelled is not None and not self.cancelled.is_pause

    @property
    def served_everybody(self) -> bool:
        """Whether nobody waits for us: who is left has an hour or a server to wait for."""
        waiting = self.counts[DeliveryState.QUEUED] + self.counts[DeliveryState.SENDING]
        return waiting == self.later and self.error is None and not self.interrupted

    @property
    def complete(self) -> bool:
        """Whether every reader surely has the edition, or was rightly passed over."""
        return is_complete(self.counts)
