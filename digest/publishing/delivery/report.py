"""What a delivery run tells: each outcome as it comes, and at its end how the edition stands.

Stopping: how a delivery run is asked to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from digest.errors import DigestError
from digest.model.delivery import DeliveryState, is_complete
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
        return is_complete(self.counts)


class CancelToken:
    """A request to end in order: what is under way is finished, nothing new is begun.

    A round that only `rests` goes on later, after others have had their turn.
    """

    def __init__(self) -> None:
        self.requested = False
        self.rests = False
        self.begun = False

    def request(self) -> None:
        """Ask. Safe from a signal handler of the event loop."""
        self.requested = True
        self.rests = False

    def rest(self) -> None:
        """Ask for a pause, unless the round ends anyway."""
        if not self.requested:
            self.requested = self.rests = True
