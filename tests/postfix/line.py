"""A newsletter whose messages go by way of Postfix to a server that keeps the books."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from digest.model.delivery import DeliveryState
from digest.publishing.delivery.run import Report
from digest.publishing.delivery.worker import Progress
from digest.publishing.editions.build import Skipped
from digest.publishing.maintenance import audit
from digest.publishing.send import send
from digest.sender.factory import transport_for
from tests.faults.scripted_server import ScriptedServer
from tests.postfix.instance import Postfix
from tests.publishing.paper import NOW, Paper


@dataclass(frozen=True, kw_only=True)
class Line:
    """From the paper to Postfix to the server."""

    paper: Paper
    postfix: Postfix
    server: ScriptedServer

    def send(self, progress: Progress | None = None) -> Report:
        """Send, or go on sending, as `digest send` does."""
        settings = self.paper.settings
        smtp = replace(settings.smtp, port=self.postfix.port, connections=4, timeout=300.0)
        report = send(
            settings,
            self.paper.newsletter,
            transport_for(replace(settings, smtp=smtp)),
            now=NOW,
            clock=lambda: NOW,
            progress=lambda _plan: progress or _nobody_looks,
        )
        assert not isinstance(report, Skipped), report.reason
        return report

    def arrived(self) -> Counter[str]:
        """How often each reader has it, when Postfix has nothing left to deliver."""
        self.postfix.wait_until_delivered()
        return Counter(self.server.readers)

    def in_state(self, state: DeliveryState) -> set[str]:
        """The readers whose delivery is in this state, as the ledger has it."""
        return {email for email, found in self.paper.states().items() if found == state}

    def prove_sent_to(self, readers: Iterable[str]) -> None:
        """These and nobody else have it, once, by the server's books and by ours."""
        expected = set(readers)
        assert self.in_state(DeliveryState.SENT) == expected
        assert self.arrived() == dict.fromkeys(expected, 1)
        assert audit(self.paper.settings).breaches == ()


def readers(count: int, *, called: str = "reader") -> list[str]:
    """So many addresses."""
    return [f"{called}-{number}@example.com" for number in range(count)]


def _nobody_looks(state: DeliveryState) -> None:
    """A progress that nobody sees."""
