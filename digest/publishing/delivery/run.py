"""A round: one process brings a stored edition to whoever still waits for it.

What `send` and `resume` have in common: settle what an earlier process left behind, build the
message forms from what was rendered when the edition was prepared, and run until the end or Ctrl-C.

Deliver: fill a reader's message, hand it over, write down the outcome; until nobody is left.

Right before a message cannot be called back any more (the final dot of SMTP), one last look is
taken at whether its reader still wants it, and the journal is told. After a crash at any point,
what was not begun was surely not sent, what has an outcome has it, and only what was begun without
an outcome is Unknown: never more than connections that were open.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any

from digest.composer.dkim import DkimSigner
from digest.composer.message import PreparedMessage, prepare_message
from digest.config import Settings
from digest.errors import ConfigError, DigestError, Held, Interrupted, Problem
from digest.lib.timestamps import to_text
from digest.model.delivery import OPEN_DELIVERIES, DeliveryState, count_in
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.precommit import PrecommitCheck
from digest.publishing.delivery.queue import Clock, DeliveryQueue, ZonesInQuietHours, no_quiet_hours
from digest.publishing.delivery.rejection_guard import RejectionGuard
from digest.publishing.delivery.report import CancelToken, Progress, Report
from digest.publishing.delivery.signing import signer_of
from digest.publishing.delivery.worker import RetryPolicy, Worker
from digest.publishing.editions.build import stored_images
from digest.sender import event_loop
from digest.sender.transport import Transport
from digest.storage import backup, deliveries, delivery_stats, editions, send_journal, suppressions
from digest.storage.database import Database, open_database
from digest.storage.locks import SenderLock, sender_lock
from digest.storage.revocations import Revocations
from digest.storage.send_journal import Journal, journal_of


async def deliver(
    db: Database,
    edition: Edition,
    forms: Mapping[str, PreparedMessage],
    transport: Transport,
    *,
    hold: SenderLock,
    give_up_after: timedelta,
    clock: Clock,
    stop: CancelToken,
    progress: Progress,
    accepted_before: bool = False,
    resting: ZonesInQuietHours = no_quiet_hours,
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
            DeliveryQueue(
                db.path, edition_id, clock=clock, recorded=journal.forget, resting=resting
            ) as claims,
        ):
            stop.begun = True
            look = PrecommitCheck(hold, Revocations(db), journal)
            patience = RetryPolicy(give_up_after, dice)
            refusals = RejectionGuard(accepted_before=accepted_before)
            attempts = Worker(
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
        later=delivery_stats.count_not_yet_due(db, edition_id, clock())
        if counts[DeliveryState.QUEUED]
        else 0,
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
    if count_in(counts, OPEN_DELIVERIES):
        return EditionState.PREPARED
    nobody = counts[DeliveryState.REJECTED] and not counts[DeliveryState.SENT]
    if counts[DeliveryState.UNKNOWN] or nobody:
        return EditionState.INCOMPLETE
    return EditionState.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a round is about to deliver; `resumed` if an earlier round began it."""

    edition: Edition
    resumed: bool
    counts: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSession:
    """The database, ours alone to send from, with nothing claimed."""

    db: Database
    hold: SenderLock
    signer: DkimSigner | None


@contextmanager
def sender_session(
    settings: Settings, newsletter: Newsletter, now: datetime
) -> Iterator[SenderSession]:
    """Take the sender's lock, and settle what an earlier process left claimed.

    Raises AlreadySending, StorageErrors, Held for a backup that was put back, and ConfigError
    without a postal address or with a signing key that cannot serve: before anything is prepared.
    """
    require_postal_address(settings)
    signer = signer_of(settings, newsletter)
    with (
        open_database(settings.database, create=False) as db,
        sender_lock(settings.database) as hold,
    ):
        refuse_backup(db)
        deliveries.recover(db, send_journal.read(send_journal.journal_of(settings.database)), now)
        yield SenderSession(db=db, hold=hold, signer=signer)


def refuse_backup(db: Database) -> None:
    """Raise Held where the database is a backup that was put back: it has forgotten something."""
    made_at = backup.made_at(db)
    if made_at is not None:
        raise Held(
            f"the database is a backup of {to_text(made_at)}: it does not know what was sent since",
            hint="If it was put back to stay, say `digest restored`. Nobody is mailed before that.",
        )


def require_postal_address(settings: Settings) -> None:
    """Refuse to mail without one: the law asks for it in most countries (CAN-SPAM, 15 USC 7704)."""
    if not settings.site.postal_address.strip():
        raise ConfigError(
            "no message leaves without the publisher's postal address",
            problems=[Problem(path="site.postal_address", found="nothing", expected="an address")],
        )


#: What ends a round early: entered in its event loop, and left when the round has ended.
CancelScope = Callable[[CancelToken], AbstractContextManager[None]]


def ignore_cancel() -> None:
    """The `stopping` of whoever does not want to be told."""


def deliver_round(
    held: SenderSession,
    settings: Settings,
    newsletter: Newsletter,
    edition: Edition,
    transport: Transport,
    *,
    resumed: bool,
    clock: Clock,
    progress: Callable[[RunPlan], Progress],
    stopping: Callable[[], None] = ignore_cancel,
    ends: CancelScope | None = None,
    resting: ZonesInQuietHours = no_quiet_hours,
) -> Report:
    """Deliver what is due of an edition, from inside `sender_session`; not to zones that are `resting`.

    The first Ctrl-C or SIGTERM ends it in order, and `stopping` is told. The second one ends it at
    once: raises Interrupted, and what was begun without an answer is Unknown. Whoever sees to
    signals without us says with `ends` what else ends the round; cancelling it is the second one.
    """
    db = held.db
    with stored_images(db, edition) as images:
        forms = {
            name: prepare_message(
                variant,
                edition,
                site=settings.site,
                newsletter=newsletter,
                images_folder=images,
                verp_key=suppressions.key(db, suppressions.BOUNCES),
                signer=held.signer,
            )
            for name, variant in editions.variants(db, edition.stored_id).items()
        }
    counts = deliveries.counts(db, edition.stored_id)
    told = progress(RunPlan(edition=edition, resumed=resumed, counts=counts))

    async def main() -> Report:
        stop = CancelToken()
        with (ends or _by_signals(stopping))(stop):
            return await deliver(
                db,
                edition,
                forms,
                transport,
                hold=held.hold,
                give_up_after=settings.give_up_after,
                clock=clock,
                stop=stop,
                progress=told,
                accepted_before=counts[DeliveryState.SENT] > 0,
                resting=resting,
            )

    try:
        return event_loop.run(main())
    except asyncio.CancelledError:
        deliveries.recover(
            db, send_journal.read(send_journal.journal_of(settings.database)), clock()
        )
        raise Interrupted(
            f"ended at once; No. {edition.number} of {newsletter.key} is not finished",
            hint="`digest send` goes on with it; `digest status` lists who may or may not have it.",
        ) from None


def _by_signals(stopping: Callable[[], None]) -> CancelScope:
    return lambda stop: _ends_in_order(asyncio.get_running_loop(), stop, stopping)


@contextmanager
def _ends_in_order(
    running: asyncio.AbstractEventLoop, stop: CancelToken, stopping: Callable[[], None]
) -> Iterator[None]:
    """The first signal asks for an orderly end, the second one is obeyed at once.

    So is the first one while nothing has been begun, such as before a server that never greets.
    """
    task = asyncio.current_task()

    def on_signal() -> None:
        if task is not None and (stop.requested or not stop.begun):
            task.cancel()
        elif not stop.requested:
            stopping()
        stop.request()

    # A closed terminal is a wish to end, too; Windows has no such signal.
    signals = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        signals.append(signal.SIGHUP)
    for number in signals:
        running.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in signals:
            running.remove_signal_handler(number)
