"""One relay of several: its transport, its gate, how it is, and how much it has carried."""

from digest.errors import RelayUnavailable
from digest.sender.gate import Gate
from digest.sender.health import Health
from digest.sender.rate_limits import Rates
from digest.sender.transport import Transport


class Relay:
    """A server that takes messages, until it fails."""

    def __init__(
        self, transport: Transport, *, name: str, weight: int = 1, rates: Rates | None = None
    ) -> None:
        self.transport = transport
        self.name = name
        self.weight = weight
        self.gate = Gate(transport.connections, rates)
        self.health = Health()
        self.error: RelayUnavailable | None = None
        self.left_alone = False
        #: Messages by weight. Whoever has the least is next.
        self.carried = 0.0

    def wait(self, now: float) -> float:
        """Seconds until it is well and has room; NOT_YET where one must come out first."""
        return max(self.health.out_until - now, self.gate.wait(now), 0.0)

    def fail(self, error: RelayUnavailable, health: Health) -> None:
        """It did not take a message, or could not even be entered."""
        self.error, self.health = error, health
        self.left_alone = health.times_out > 0
