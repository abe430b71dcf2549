"""The transport as the service uses it: it counts outcomes, for the page of metrics."""

from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from digest.model.delivery import Outcome
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import Transport, no_precommit


class CountingTransport:
    """Another transport, see `Transport`, and a count of its outcomes by name."""

    def __init__(self, transport: Transport, counts: Counter[str]) -> None:
        self._transport = transport
        self._counts = counts

    @property
    def connections(self) -> int:
        """How many messages it carries at the same time."""
        return self._transport.connections

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one message; see `Transport.send`."""
        outcome = await self._transport.send(envelope, message, before_commit=before_commit)
        self._counts[type(outcome).__name__.lower()] += 1
        return outcome
