"""Deliver: fill a reader's message, hand it over, write down the outcome; until nobody is left.

Right before a message cannot be called back any more (the final dot of SMTP), one last look is
taken at whether its reader still wants it, and the journal is told. After a crash at any point,
what was not begun was surely not sent, what has an outcome has it, and only what was begun without
an outcome is Unknown: never more than connections that were open.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Final, Protocol, assert_never

from digest.composer.form import MessageForm
from digest.errors import AudienceError, DigestError, RelayUnavailable
from digest.model.delivery import Delivery, DeliveryState, complete
from digest.model.edition import Edition, EditionState
from digest.model.outcome import Accepted, Deferred, Outcome, Rejected, Unknown
from digest.publishing.delivery.claims import Claims, Clock, Resting, nobody_rests
from digest.publishing.delivery.last_look import LastLook, Objected
from digest.publishing.delivery.lock import Hold
from digest.publishing.delivery.patience import Patience
from digest.publishing.delivery.refusals import Refusals
from digest.publishing.delivery.signing import filled
from digest.sender.envelope import Envelope
from digest.sender.transport import Transport
from digest.storage import deliveries, editions, waking
from digest.storage.connection import Database
from digest.storage.deliveries import Objections, Settled
from digest.storage.journal import Journal, journal_of

#: So many failures of the relay without one acceptance in between end a run. One of them may be due
#: to a single reader: some servers say "relay denied" for a domain that they do not like.
_RELAY_FAILURES: Final = 3


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


class Stop:
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


async def deliver(
    db: Database,
    edition: Edition,
    forms: Mapping[str, MessageForm],
    transport: Transport,
    *,
    hold: Hold,
    give_up_after: timedelta,
    clock: Clock,
    stop: Stop,
    progress: Progress,
    accepted_before: bool = False,
    resting: Resting = nobody_rests,
    dice: Callable[[], float] = random,
) -> Report:
    """Send every queued delivery of an edition that is due; the caller holds the sender's lock.

    Nothing is claimed when it begins, and nothing when it has ended in order. A relay that is at
    fault, or a ledger that cannot be written, ends the run; whoever was not served stays queued.
    `accepted_before`: servers took messages of this edition in an earlier run.
    """
    edition_id = edition.stored_id
    journal = Journal(journal_of(db.path))
    error: DigestError | None = None
    try:
        async with (
            transport,
            Claims(
                db.path, edition_id, clock=clock, recorded=journal.forget, resting=resting
            ) as claims,
        ):
            stop.begun = True
            look = LastLook(hold, Objections(db), journal)
            patience = Patience(give_up_after, dice)
            refusals = Refusals(accepted_before=accepted_before)
            run = _Run(claims, look, forms, transport, patience, refusals, clock, stop, progress)
            await _together(run.work() for _ in range(transport.connections))
            run.finish()
            error = run.error
    except DigestError as raised:
        error = raised
    finally:
        journal.close()
    counts = deliveries.counts(db, edition_id)
    state = _edition_state(counts)
    if state is not EditionState.PREPARED:
        editions.finish(db, edition_id, state, clock())
    interrupted = stop.requested and not stop.rests
    return Report(
        edition=edition,
        counts=counts,
        later=waking.later(db, edition_id, clock()) if counts[DeliveryState.QUEUED] else 0,
        error=error,
        interrupted=interrupted,
    )


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
        claims: Claims,
        last_look: LastLook,
        forms: Mapping[str, MessageForm],
        transport: Transport,
        patience: Patience,
        refusals: Refusals,
        clock: Clock,
        stop: Stop,
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
            message = await filled(
                form, delivery.recipient, delivery_id=delivery.id, date=self._clock()
            )
        except AudienceError as error:
            # This one reader cannot be written to; the others can.
            self._settle(delivery, DeliveryState.REJECTED, error.message)
            return
        try:
            outcome = await self._transport.send(
                envelope, message, before_commit=lambda: self._last_look.at(delivery)
            )
        except Objected as objected:
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

    def _obey(self, delivery: Delivery, objection: str) -> None:
        if objection:
            self._settle(delivery, DeliveryState.WITHHELD, deliveries.objection(objection))
        else:
            if not self._stop.requested:
                self._stop.request()
            self._claims.give_back(delivery, "")

    def _settle(self, delivery: Delivery, state: DeliveryState, reply: str) -> None:
        now = self._clock().replace(microsecond=0)
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
                    Settled(delivery_id=delivery.id, state=state, reply=reply, at=now)
                )
        self._progress(state)
        try:
            self._last_look.journal.ended(delivery.id, state, reply)
        except DigestError as error:
            # The outcome is on its way into the ledger; but nothing more can be put on record.
            self.error = self.error or error

    def _deferred(self, delivery: Delivery, reply: str, now: datetime) -> Settled:
        """The reader has to wait, or is given up."""
        state, reply, again = self._patience.with_one(delivery, reply, now)
        return Settled(
            delivery_id=delivery.id, state=state, reply=reply, at=now, next_attempt_at=again
        )

    def _accept(self) -> None:
        self._accepted += 1
        self._failures = 0
        for settled in self._refusals.accepted():
            self._claims.settle(settled)

    def _refuse(self, delivery: Delivery, reply: str, now: datetime) -> None:
        own = Settled(delivery_id=delivery.id, state=DeliveryState.REJECTED, reply=reply, at=now)
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


def _edition_state(counts: Mapping[DeliveryState, int]) -> EditionState:
    """Failed is not sent: an edition that nobody has, and somebody should, is incomplete."""
    open_states = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)
    if any(counts[state] for state in open_states):
        return EditionState.PREPARED
    nobody = counts[DeliveryState.REJECTED] and not counts[DeliveryState.SENT]
    if counts[DeliveryState.UNKNOWN] or nobody:
        return EditionState.INCOMPLETE
    return EditionState.SENT
