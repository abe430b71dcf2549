"""What a delivery run tells: each outcome as it comes, and at its end how the edition stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from digest.errors import DigestError
from digest.model.delivery import DeliveryState, complete
from digest.model.edition import Edition


class Progress(Protocol):
    """Told of each delivery when its outcome is known."""

    def __call__(self, state: DeliveryState) -> None:
        """One more delivery is in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an edition stands after a delivery run.

    `error` is why the run ended early, such as a relay that is at fault; `interrupted` says that
    somebody asked it to end. `later` are queued and wait for their own hour.
    """

    edition: Edition
    counts: Mapping[DeliveryState, int]
    later: int = 0
    error: DigestError | None = None
    interrupted: bool = False

    @property
    def served_everybody(self) -> bool:
        """Whether nobody waits for us: who is left has an hour or a server to wait for."""
        waiting = self.counts[DeliveryState.QUEUED] + self.counts[DeliveryState.SENDING]
        return waiting == self.later and self.error is None and not self.interrupted

    @property
    def complete(self) -> bool:
        """Whether every reader surely has the edition, or was rightly passed over."""
        return complete(self.counts)
