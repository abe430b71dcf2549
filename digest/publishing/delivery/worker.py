"""Attempts: what the workers of a run do, one delivery at a time, and what each comes to.

Patience: how long a deferred reader is tried, and when next.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, assert_never

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
from digest.publishing.delivery.precommit import DeliveryRevoked, PrecommitCheck
from digest.publishing.delivery.queue import Clock, DeliveryQueue
from digest.publishing.delivery.rejection_guard import RejectionGuard
from digest.publishing.delivery.report import CancelToken, Progress
from digest.publishing.delivery.signing import fill_and_sign
from digest.sender.message_data import Envelope
from digest.sender.retry import GiveUp, next_attempt
from digest.sender.transport import Transport
from digest.storage.deliveries import AttemptResult
from digest.storage.revocations import revocation_reason


class RetryPolicy:
    """How long a deferred reader is tried, and when next (`digest.sender.retry`)."""

    def __init__(self, give_up_after: timedelta, dice: Callable[[], float]) -> None:
        self._give_up_after = give_up_after
        self._dice = dice

    def with_one(
        self, delivery: Delivery, reply: str, now: datetime
    ) -> tuple[DeliveryState, str, datetime | None]:
        """The state of a delivery that was put off, what to record, and when to try again."""
        again = next_attempt(
            delivery.first_attempt_at or now,
            delivery.attempts,
            now,
            self._dice(),
            give_up_after=self._give_up_after,
        )
        if isinstance(again, GiveUp):
            return DeliveryState.REJECTED, f"{again.reason}: {reply}", None
        return DeliveryState.DEFERRED, reply, again


#: So many failures of the relay without one acceptance in between end a run. One of them may be due
#: to a single reader: some servers say "relay denied" for a domain that they do not like.
_RELAY_FAILURES: Final = 3


class Worker:
    """The attempts of one run; `error` is why it cannot go on."""

    def __init__(
        self,
        claims: DeliveryQueue,
        last_look: PrecommitCheck,
        forms: Mapping[str, PreparedMessage],
        transport: Transport,
        patience: RetryPolicy,
        refusals: RejectionGuard,
        clock: Clock,
        stop: CancelToken,
        progress: Progress,
    ) -> None:
        self._claims = claims
        self._last_look = last_look
        self._forms = forms
        self._transport = transport
        self._patience = patience
        self._refusals = refusals
        self._clock = clock
        self._stop = stop
        self._progress = progress
        self._accepted = 0
        self._failures = 0
        self.error: DigestError | None = None

    async def work(self) -> None:
        """One worker: one delivery at a time."""
        while not self._stop.requested and self.error is None:
            delivery = await self._claims.take()
            if delivery is None:
                return
            await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        form = self._forms[delivery.variant]
        envelope = Envelope(mail_from=form.mail_from(delivery.id), rcpt_to=delivery.recipient.email)
        try:
            message = await fill_and_sign(
                form, delivery.recipient, delivery_id=delivery.id, date=self._clock()
            )
        except SubscriberError as error:
            # This one reader cannot be written to; the others can.
            self._settle(delivery, DeliveryState.REJECTED, error.message)
            return
        try:
            outcome = await self._transport.send(
                envelope, message, before_commit=partial(self._last_look.at, delivery)
            )
        except DeliveryRevoked as objected:
            self._obey(delivery, objected.message)
        except RelayUnavailable as error:
            self._failed(delivery, error)
        except DigestError as error:
            # By contract nothing has left: the reader keeps the place in the queue. Whatever else
            # may be raised leaves the delivery claimed, and the journal knows if it was begun.
            self.error = self.error or error
            self._claims.give_back(delivery, error.message)
        else:
            self._settle(delivery, *_recorded(outcome))

    def _obey(self, delivery: Delivery, standing: str) -> None:
        if standing:
            self._settle(delivery, DeliveryState.WITHHELD, revocation_reason(standing))
        else:
            if not self._stop.requested:
                self._stop.request()
            self._claims.give_back(delivery, "")

    def _settle(self, delivery: Delivery, state: DeliveryState, reply: str) -> None:
        now = self._clock()
        match state:
            case DeliveryState.REJECTED:
                self._refuse(delivery, reply, now)
            case DeliveryState.DEFERRED:
                settled = self._deferred(delivery, reply, now)
                state, reply = settled.state, settled.reply
                self._claims.settle(settled)
            case _:
                if state is DeliveryState.SENT:
                    self._accept()
                self._claims.settle(
                    AttemptResult(delivery_id=delivery.id, state=state, reply=reply, at=now)
                )
        self._progress(state)
        try:
            self._last_look.journal.ended(delivery.id, state, reply)
        except DigestError as error:
            # The outcome is on its way into the ledger; but nothing more can be put on record.
            self.error = self.error or error

    def _deferred(self, delivery: Delivery, reply: str, now: datetime) -> AttemptResult:
        """The reader has to wait, or is given up."""
        state, reply, again = self._patience.with_one(delivery, reply, now)
        return AttemptResult(
            delivery_id=delivery.id, state=state, reply=reply, at=now, next_attempt_at=again
        )

    def _accept(self) -> None:
        self._accepted += 1
        self._failures = 0
        for settled in self._refusals.accepted():
            self._claims.settle(settled)

    def _refuse(self, delivery: Delivery, reply: str, now: datetime) -> None:
        own = AttemptResult(
            delivery_id=delivery.id, state=DeliveryState.REJECTED, reply=reply, at=now
        )
        otherwise = self._deferred(delivery, reply, now)
        settled = self._refusals.add(own, otherwise, again=delivery.attempts > 1)
        if settled is not None:
            self._claims.settle(settled)
        if self._refusals.of_everybody and self.error is None:
            self.error = RelayUnavailable(
                f"the server refuses everybody: {reply}",
                hint="Look at the sender's address and at what the server asks for. Nobody is"
                " blamed: `digest send` tries the same readers again.",
            )

    def _failed(self, delivery: Delivery, error: RelayUnavailable) -> None:
        """The relay did not take a message, and says that it would not take others either."""
        self._failures += 1
        if self._accepted and self._failures < _RELAY_FAILURES:
            self._settle(delivery, DeliveryState.DEFERRED, error.message)
            return
        self.error = self.error or error
        self._claims.give_back(delivery, error.message)

    def finish(self) -> None:
        """Settle the refusals since the last acceptance: true ones, or the server's fault."""
        for settled in self._refusals.ended():
            self._claims.settle(settled)


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
