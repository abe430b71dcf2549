"""The carrier: the transport as the service uses it. It counts, and it can call messages off."""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from digest.model.delivery import Outcome
from digest.publishing.delivery.precommit import DeliveryRevoked
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import Transport, no_precommit


class CountingTransport:
    """Another transport, see `Transport`, and a count of its outcomes by name."""

    def __init__(self, transport: Transport, counts: Counter[str]) -> None:
        self._transport = transport
        self._counts = counts
        self._unbegun: set[asyncio.Task[Any]] = set()
        self._called_off: set[asyncio.Task[Any]] = set()

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

    def call_off(self) -> None:
        """Let go of every message that surely was not sent, however long a limit makes it wait.

        Its reader keeps the place in the queue.
        """
        self._called_off |= self._unbegun
        for task in self._unbegun:
            task.cancel()
        self._unbegun.clear()

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one message; see `Transport.send`. Raises DeliveryRevoked for one that is called off."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a message is carried in a task of an event loop")

        def commit() -> None:
            before_commit()
            self._unbegun.discard(task)

        self._unbegun.add(task)
        try:
            outcome = await self._transport.send(envelope, message, before_commit=commit)
        except asyncio.CancelledError:
            if task in self._called_off and task.uncancel() == 0:
                raise DeliveryRevoked("") from None
            raise
        finally:
            self._unbegun.discard(task)
            self._called_off.discard(task)
        self._counts[type(outcome).__name__.lower()] += 1
        return outcome
