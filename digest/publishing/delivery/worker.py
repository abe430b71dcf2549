"""The workers of a run: one delivery at a time, and what became of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, assert_never

from digest.composer.message import PreparedMessage
from digest.errors import AudienceError, DigestError, RelayUnavailable
from digest.model.delivery import (
    Accepted,
    Deferred,
    Delivery,
    DeliveryState,
    Outcome,
    Rejected,
    Unknown,
)
from digest.publishing.delivery.cancellation import CancelToken, Carrier
from digest.publishing.delivery.precommit import STOPPED, NotCommitted, PrecommitCheck, Stopped
from digest.publishing.delivery.queue import Clock, DeliveryQueue
from digest.publishing.delivery.rejection_guard import Rejection, RejectionGuard
from digest.publishing.delivery.report import Progress
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFailed:
    """Surely not sent: the relay does not take messages, and no reader is to blame."""

    error: RelayUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Surely not sent, and no other message can be: the lock or the journal is lost."""

    error: DigestError


#: What one attempt came to.
AttemptOutcome = Outcome | Revoked | Stopped | RelayFailed | Failed


class RetryPolicy:
    """How long a deferred reader is tried, and when next (`digest.sender.retry`)."""

    def __init__(self, give_up_after: timedelta, dice: Callable[[], float]) -> None:
        self._give_up_after = give_up_after
        self._dice = dice

    def deferred(self, delivery: Delivery, reply: str, now: datetime) -> AttemptResult:
        """The result of a delivery that was put off: when it is tried again, or that it is not."""
        next_at = next_attempt(
            delivery.first_attempt_at or now,
            delivery.attempts,
            now,
            self._dice(),
            give_up_after=self._give_up_after,
        )
        if isinstance(next_at, GiveUp):
            reason = f"{next_at.reason}: {reply}"
            return _result(delivery, DeliveryState.REJECTED, reason, now)
        return AttemptResult(
            delivery_id=delivery.id,
            state=DeliveryState.DEFERRED,
            reply=reply,
            at=now,
            next_attempt_at=next_at,
        )


class Worker:
    """The attempts of one run, made by several tasks; `error` is why it cannot continue."""

    def __init__(
        self,
        *,
        queue: DeliveryQueue,
        precommit: PrecommitCheck,
        journal: Journal,
        messages: Mapping[str, PreparedMessage],
        transport: Transport,
        retry: RetryPolicy,
        rejections: RejectionGuard,
        clock: Clock,
        cancel: CancelToken,
        progress: Progress,
    ) -> None:
        self._queue = queue
        self._precommit = precommit
        self._journal = journal
        self._messages = messages
        self._transport = transport
        self._retry = retry
        self._rejections = rejections
        self._clock = clock
        self._cancel = cancel
        self._progress = progress
        self._any_accepted = False
        self._relay_failures = 0
        self.error: DigestError | None = None

    async def work(self) -> None:
        """Attempt one delivery after the other, until none is left or the run is to end."""
        carrier = asyncio.current_task()
        if carrier is None:
            raise RuntimeError("a worker runs in a task of an event loop")
        while self._cancel.reason is None and self.error is None:
            delivery = await self._queue.take()
            if delivery is None:
                return
            self._settle(delivery, await self._attempt(delivery, carrier))

    def finish(self) -> None:
        """Decide the rejections since the last acceptance: the readers' own, or the server's."""
        blames_server = self._rejections.blames_server
        for rejection in self._rejections.take_undecided():
            if blames_server:
                delivery, reply = rejection.delivery, rejection.reply
                self._record(delivery, self._retry.deferred(delivery, reply, rejection.at))
            else:
                self._record_rejected(rejection)

    async def _attempt(self, delivery: Delivery, carrier: Carrier) -> AttemptOutcome:
        prepared = self._messages[delivery.variant]
        envelope = Envelope(
            mail_from=prepared.mail_from(delivery.id), rcpt_to=delivery.recipient.email
        )
        try:
            message = await fill_and_sign(
                prepared, delivery.recipient, delivery_id=delivery.id, date=self._clock()
            )
        except AudienceError as error:
            # This one reader cannot be written to; the others can.
            return Rejected(reason=error.message)
        before_commit = partial(self._precommit.commit, delivery, carrier)
        self._cancel.begin(carrier)
        try:
            return await self._transport.send(envelope, message, before_commit=before_commit)
        except NotCommitted as error:
            return error.result
        except RelayUnavailable as error:
            return RelayFailed(error=error)
        except DigestError as error:
            # By contract nothing has left. Whatever else may be raised leaves the delivery claimed,
            # and the journal knows whether it was begun.
            return Failed(error=error)
        except asyncio.CancelledError:
            if self._cancel.was_called_off(carrier):
                return STOPPED
            raise
        finally:
            self._cancel.commit(carrier)

    def _settle(self, delivery: Delivery, outcome: AttemptOutcome) -> None:
        now = self._clock()
        match outcome:
            case Accepted(reply=reply):
                self._accepted()
                self._record(delivery, _result(delivery, DeliveryState.SENT, str(reply), now))
                self._progress(DeliveryState.SENT)
            case Deferred(reason=reason, reply=reply):
                self._defer(delivery, str(reply or reason), now)
            case Rejected(reason=reason, reply=reply):
                self._reject(Rejection(delivery=delivery, reply=str(reply or reason), at=now))
            case Unknown(reason=reason):
                self._record(delivery, _result(delivery, DeliveryState.UNKNOWN, reason, now))
                self._progress(DeliveryState.UNKNOWN)
            case Revoked(status=status):
                reason = revocation_reason(status)
                self._record(delivery, _result(delivery, DeliveryState.WITHHELD, reason, now))
                self._progress(DeliveryState.WITHHELD)
            case Stopped():
                self._queue.give_back(delivery, "")
            case RelayFailed(error=error):
                self._relay_failed(delivery, error, now)
            case Failed(error=error):
                self._fail(error)
                self._queue.give_back(delivery, error.message)
            case _:
                assert_never(outcome)

    def _accepted(self) -> None:
        self._any_accepted = True
        self._relay_failures = 0
        for rejection in self._rejections.accepted():
            self._record_rejected(rejection)

    def _defer(self, delivery: Delivery, reply: str, now: datetime) -> None:
        result = self._retry.deferred(delivery, reply, now)
        self._record(delivery, result)
        self._progress(result.state)

    def _reject(self, rejection: Rejection) -> None:
        if self._rejections.decides(rejection):
            self._record_rejected(rejection)
        else:
            # Only that it was surely not sent is decided: after a crash the reader is tried again.
            self._write_journal(rejection.delivery, DeliveryState.DEFERRED, rejection.reply)
            if self._rejections.blames_server:
                self._fail(
                    RelayUnavailable(
                        f"the server rejects every reader: {rejection.reply}",
                        hint="Check the sender's address and what the server asks for. No reader"
                        " is marked as rejected: `digest send` tries them again.",
                    )
                )
        self._progress(DeliveryState.REJECTED)

    def _relay_failed(self, delivery: Delivery, error: RelayUnavailable, now: datetime) -> None:
        """The relay did not take a message, and says that it would not take others either."""
        self._relay_failures += 1
        if self._any_accepted and self._relay_failures < _MOST_RELAY_FAILURES:
            self._defer(delivery, error.message, now)
            return
        self._fail(error)
        self._queue.give_back(delivery, error.message)

    def _record_rejected(self, rejection: Rejection) -> None:
        result = _result(rejection.delivery, DeliveryState.REJECTED, rejection.reply, rejection.at)
        self._record(rejection.delivery, result)

    def _record(self, delivery: Delivery, result: AttemptResult) -> None:
        """What is decided: into the queue for the ledger, and on record until it is there."""
        self._queue.settle(result)
        self._write_journal(delivery, result.state, result.reply)

    def _write_journal(self, delivery: Delivery, state: DeliveryState, reply: str) -> None:
        try:
            self._journal.ended(delivery.id, state, reply)
        except DigestError as error:
            # The outcome is on its way into the ledger; but nothing more can be put on record.
            self._fail(error)

    def _fail(self, error: DigestError) -> None:
        """End the run; the first reason is the one that is told."""
        self.error = self.error or error


def _result(delivery: Delivery, state: DeliveryState, reply: str, now: datetime) -> AttemptResult:
    return AttemptResult(delivery_id=delivery.id, state=state, reply=reply, at=now)
