"""The workers of a run: one delivery at a time, and what became of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, assert_never

from digest.composer.message import PreparedMessage
from digest.errors import DigestError, RelayUnavailable, SubscriberError
from digest.model.delivery import (
    Accepted,
    Deferred,
    Delivery,
    DeliveryState,
    Outcome,
    Rejected,
    Unknown,
)
from digest.publishing.delivery.cancellation import CancelToken, MessageTask
from digest.publishing.delivery.precommit import NotCommitted, PrecommitCheck, Stopped
from digest.publishing.delivery.queue import Clock, DeliveryQueue
from digest.publishing.delivery.rejection_guard import Rejection, RejectionGuard
from digest.publishing.delivery.signing import fill_and_sign
from digest.sender.message_data import Envelope
from digest.sender.retry import GiveUp, next_attempt
from digest.sender.transport import Transport
from digest.storage.deliveries import AttemptResult
from digest.storage.revocations import Revoked, revocation_reason
from digest.storage.send_journal import Journal

#: So many failures of the relay without one acceptance in between end a run. One of them may be due
#: to a single reader: some servers say "relay denied" for a domain that they do not like.
_MOST_RELAY_FAILURES: Final = 3


class Progress(Protocol):
    """Told of each delivery when its outcome is known."""

    def __call__(self, state: DeliveryState) -> None:
        """One more delivery is in this state."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Surely not sent, and no reader is to blame: the relay, the lock or the journal failed."""

    error: DigestError


#: What one attempt came to.
AttemptOutcome = Outcome | Revoked | Stopped | Failed


@dataclass(slots=True, kw_only=True)
class Worker:
    """The attempts of one run, made by several tasks; `error` is why it cannot continue.

    `messages` are prepared for each variant. `dice` is from 0 to 1, for the jitter of retries.
    """

    queue: DeliveryQueue
    precommit: PrecommitCheck
    journal: Journal
    messages: Mapping[str, PreparedMessage]
    transport: Transport
    rejections: RejectionGuard
    give_up_after: timedelta
    dice: Callable[[], float]
    clock: Clock
    cancel: CancelToken
    progress: Progress
    error: DigestError | None = None
    _any_accepted: bool = False
    _relay_failures: int = 0

    async def work(self) -> None:
        """Attempt one delivery after the other, until none is left or the run is to end."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a worker runs in a task of an event loop")
        while self.cancel.reason is None and self.error is None:
            delivery = await self.queue.take()
            if delivery is None:
                return
            self._settle(delivery, await self._attempt(delivery, task))

    def finish(self) -> None:
        """Decide the rejections since the last acceptance: the readers' own, or the server's."""
        decide = self._defer if self.rejections.blames_server else self._reject_for_good
        for rejection in self.rejections.take_undecided():
            decide(rejection.delivery, rejection.reply, rejection.at)

    async def _attempt(self, delivery: Delivery, task: MessageTask) -> AttemptOutcome:
        prepared = self.messages[delivery.variant]
        envelope = Envelope(
            mail_from=prepared.mail_from(delivery.id), rcpt_to=delivery.recipient.email
        )
        try:
            message = await fill_and_sign(
                prepared, delivery.recipient, delivery_id=delivery.id, date=self.clock()
            )
        except SubscriberError as error:
            # This one reader cannot be written to; the others can.
            return Rejected(reason=error.message)
        before_commit = partial(self.precommit.commit, delivery, task)
        self.cancel.begin(task)
        try:
            return await self.transport.send(envelope, message, before_commit=before_commit)
        except NotCommitted as error:
            return error.result
        except DigestError as error:
            # By contract nothing has left. Whatever else may be raised leaves the delivery claimed,
            # and the journal knows whether it was begun.
            return Failed(error)
        except asyncio.CancelledError:
            if self.cancel.was_called_off(task):
                return Stopped()
            raise
        finally:
            self.cancel.commit(task)

    def _settle(self, delivery: Delivery, outcome: AttemptOutcome) -> None:
        now = self.clock()
        match outcome:
            case Accepted(reply=reply):
                self._accepted()
                state = self._record(delivery, DeliveryState.SENT, str(reply), now)
            case Deferred(reason=reason, reply=reply):
                state = self._defer(delivery, str(reply or reason), now)
            case Rejected(reason=reason, reply=reply):
                state = self._reject(delivery, str(reply or reason), now)
            case Unknown(reason=reason):
                state = self._record(delivery, DeliveryState.UNKNOWN, reason, now)
            case Revoked(status=status):
                reason = revocation_reason(status)
                state = self._record(delivery, DeliveryState.WITHHELD, reason, now)
            case Stopped():
                self.queue.give_back(delivery, "")
                return
            case Failed(error=error):
                self._failed(delivery, error, now)
                return
            case _:
                assert_never(outcome)
        self.progress(state)

    def _accepted(self) -> None:
        self._any_accepted = True
        self._relay_failures = 0
        for rejection in self.rejections.accepted():
            self._reject_for_good(rejection.delivery, rejection.reply, rejection.at)

    def _failed(self, delivery: Delivery, error: DigestError, now: datetime) -> None:
        """The reader is not to blame; a relay's failure may yet be due to this reader."""
        if isinstance(error, RelayUnavailable):
            self._relay_failures += 1
            if self._any_accepted and self._relay_failures < _MOST_RELAY_FAILURES:
                self.progress(self._defer(delivery, error.message, now))
                return
        self._fail(error)
        self.queue.give_back(delivery, error.message)

    def _reject(self, delivery: Delivery, reply: str, now: datetime) -> DeliveryState:
        rejection = Rejection(delivery=delivery, reply=reply, at=now)
        if self.rejections.decides(rejection):
            return self._reject_for_good(delivery, reply, now)
        # Only that it was surely not sent is decided: after a crash the reader is tried again.
        self._write_journal(delivery.id, DeliveryState.DEFERRED, reply)
        if self.rejections.blames_server:
            self._fail(
                RelayUnavailable(
                    f"the server rejects every reader: {reply}",
                    hint="Check the sender's address and what the server asks for. No reader is"
                    " marked as rejected: `digest send` tries them again.",
                )
            )
        return DeliveryState.REJECTED

    def _reject_for_good(self, delivery: Delivery, reply: str, at: datetime) -> DeliveryState:
        return self._record(delivery, DeliveryState.REJECTED, reply, at)

    def _defer(self, delivery: Delivery, reply: str, at: datetime) -> DeliveryState:
        """The reader is tried again later, or given up."""
        next_at = next_attempt(
            delivery.first_attempt_at or at,
            delivery.attempts,
            at,
            self.dice(),
            give_up_after=self.give_up_after,
        )
        if isinstance(next_at, GiveUp):
            return self._reject_for_good(delivery, f"{next_at.reason}: {reply}", at)
        return self._record(delivery, DeliveryState.DEFERRED, reply, at, next_at)

    def _record(
        self,
        delivery: Delivery,
        state: DeliveryState,
        reply: str,
        at: datetime,
        next_attempt_at: datetime | None = None,
    ) -> DeliveryState:
        """What is decided: into the queue for the ledger, and on record until it is there."""
        self.queue.settle(
            AttemptResult(
                delivery_id=delivery.id,
                state=state,
                reply=reply,
                at=at,
                next_attempt_at=next_attempt_at,
            )
        )
        self._write_journal(delivery.id, state, reply)
        return state

    def _write_journal(self, delivery_id: int, state: DeliveryState, reply: str) -> None:
        try:
            self.journal.ended(delivery_id, state, reply)
        except DigestError as error:
            # The outcome is on its way into the ledger; but nothing more can be put on record.
            self._fail(error)

    def _fail(self, error: DigestError) -> None:
        """End the run; the first reason is the one that is reported."""
        self.error = self.error or error
