"""Deliver: fill a reader's message, hand it over, record the outcome; until nobody is left.

A delivery is claimed, durably, at the moment before its message cannot be called back any more (the
final dot of SMTP). After a crash at any point a queued one was surely not sent, a recorded one has
its outcome, and only those still claimed are Unknown: never more than connections that were open.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, assert_never

from digest.composer.form import MessageForm
from digest.errors import DigestError, RelayUnavailable
from digest.model.delivery import Delivery, DeliveryState, complete
from digest.model.edition import Edition, EditionState
from digest.model.outcome import Accepted, Deferred, Outcome, Rejected, Unknown
from digest.sender.envelope import Envelope
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.connection import Database

Clock = Callable[[], datetime]


class Progress(Protocol):
    """Told of each delivery when its outcome is recorded."""

    def __call__(self, state: DeliveryState) -> None:
        """One more delivery is in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an edition stands after a delivery run.

    `error` is why the run ended early, such as a relay that is at fault; `interrupted` says that
    somebody asked it to end.
    """

    edition: Edition
    counts: Mapping[DeliveryState, int]
    error: DigestError | None = None
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every reader surely has the edition, or was rightly passed over."""
        return complete(self.counts)


class Stop:
    """A request to end in order: what is under way is finished, nothing new is begun."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask. Safe from a signal handler of the event loop."""
        self.requested = True


async def deliver(
    db: Database,
    edition: Edition,
    forms: Mapping[str, MessageForm],
    transport: Transport,
    *,
    clock: Clock,
    stop: Stop,
    progress: Progress,
) -> Report:
    """Send every queued delivery of an edition; the caller holds the sender's lock.

    Outcomes are recorded one by one. A relay that is at fault ends the run, and whoever was not
    served stays queued.
    """
    run = _Run(db, edition, forms, transport, clock=clock, stop=stop, progress=progress)
    try:
        async with transport:
            await _together(run.work() for _ in range(transport.connections))
    except RelayUnavailable as error:
        return run.report(error)
    return run.report()


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    workers = [asyncio.create_task(part) for part in work]
    try:
        await asyncio.gather(*workers)
    except BaseException:
        # One worker failed, or we were cancelled. The others may not go on unseen.
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise


class _Run:
    def __init__(
        self,
        db: Database,
        edition: Edition,
        forms: Mapping[str, MessageForm],
        transport: Transport,
        *,
        clock: Clock,
        stop: Stop,
        progress: Progress,
    ) -> None:
        assert edition.id is not None, "only a stored edition has deliveries"  # noqa: S101
        self._db = db
        self._edition = edition
        self._edition_id = edition.id
        self._forms = forms
        self._transport = transport
        self._clock = clock
        self._stop = stop
        self._progress = progress
        self._error: DigestError | None = None
        self._last_begun = 0

    async def work(self) -> None:
        """One worker: one delivery at a time."""
        while not self._stop.requested and self._error is None:
            delivery = deliveries.next_queued(
                self._db, self._edition_id, self._clock(), after=self._last_begun
            )
            if delivery is None:
                return
            self._last_begun = delivery.id
            await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        form = self._forms[delivery.variant]
        envelope = Envelope(mail_from=form.mail_from, rcpt_to=delivery.recipient.email)
        try:
            message = form.fill(delivery.recipient, delivery_id=delivery.id, date=self._clock())
            outcome = await self._transport.send(
                envelope,
                message,
                before_commit=lambda: deliveries.claim(self._db, delivery.id),
            )
        except DigestError as error:
            # By contract nothing has left: the reader keeps the place in the queue. Whatever else
            # may be raised after the claim leaves the delivery claimed, Unknown to the next run.
            self._error = self._error or error
            self._record(delivery, DeliveryState.QUEUED, error.message)
            return
        state, reply = _recorded(outcome)
        self._record(delivery, state, reply)
        self._progress(state)

    def _record(self, delivery: Delivery, state: DeliveryState, reply: str) -> None:
        deliveries.record(self._db, delivery.id, state, reply, self._clock())

    def report(self, error: DigestError | None = None) -> Report:
        """Count, and write down how far the edition came."""
        counts = deliveries.counts(self._db, self._edition_id)
        state = _edition_state(counts)
        if state is not EditionState.PREPARED:
            editions.finish(self._db, self._edition_id, state, self._clock())
        return Report(
            edition=self._edition,
            counts=counts,
            error=error or self._error,
            interrupted=self._stop.requested,
        )


def _recorded(outcome: Outcome) -> tuple[DeliveryState, str]:
    match outcome:
        case Accepted(reply=reply):
            return DeliveryState.SENT, str(reply)
        case Deferred(reason=reason, reply=reply):
            return DeliveryState.DEFERRED, str(reply or reason)
        case Rejected(reason=reason, reply=reply):
            return DeliveryState.REJECTED, str(reply or reason)
        case Unknown(reason=reason):
            return DeliveryState.UNKNOWN, reason
        case _:
            assert_never(outcome)


def _edition_state(counts: Mapping[DeliveryState, int]) -> EditionState:
    open_states = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)
    if any(counts[state] for state in open_states):
        return EditionState.PREPARED
    return EditionState.INCOMPLETE if counts[DeliveryState.UNKNOWN] else EditionState.SENT
