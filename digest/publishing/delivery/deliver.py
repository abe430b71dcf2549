"""Deliver: fill a reader's message, hand it over, write down the outcome; until nobody is left.

Right before a message cannot be called back any more (the final dot of SMTP), one last look is
taken at whether its reader still wants it, and the journal is told. After a crash at any point,
what was not begun was surely not sent, what has an outcome has it, and only what was begun without
an outcome is Unknown: never more than connections that were open.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from random import random
from typing import Any

from digest.composer.message import MessageForm
from digest.errors import DigestError
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition, EditionState
from digest.publishing.delivery.patience import Patience
from digest.publishing.delivery.precommit import LastLook
from digest.publishing.delivery.queue import Claims, Clock, Resting, nobody_rests
from digest.publishing.delivery.rejection_guard import Refusals
from digest.publishing.delivery.report import Progress, Report
from digest.publishing.delivery.stopping import Stop
from digest.publishing.delivery.worker import Attempts
from digest.sender.transport import Transport
from digest.storage import deliveries, delivery_stats, editions
from digest.storage.database import Database
from digest.storage.locks import Hold
from digest.storage.revocations import Objections
from digest.storage.send_journal import Journal, journal_of


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
            attempts = Attempts(
                claims, look, forms, transport, patience, refusals, clock, stop, progress
            )
            await _together(attempts.work() for _ in range(transport.connections))
            attempts.finish()
            error = attempts.error
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
        # As it is by now: somebody may have stopped it.
        edition=editions.find(db, edition.newsletter, edition.number) or edition,
        counts=counts,
        later=delivery_stats.later(db, edition_id, clock()) if counts[DeliveryState.QUEUED] else 0,
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


def _edition_state(counts: Mapping[DeliveryState, int]) -> EditionState:
    """Failed is not sent: an edition that nobody has, and somebody should, is incomplete."""
    open_states = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)
    if any(counts[state] for state in open_states):
        return EditionState.PREPARED
    nobody = counts[DeliveryState.REJECTED] and not counts[DeliveryState.SENT]
    if counts[DeliveryState.UNKNOWN] or nobody:
        return EditionState.INCOMPLETE
    return EditionState.SENT
