"""A delivery run: one process brings a stored edition to whoever still waits for it.

It takes the sender's lock, settles what an earlier process left claimed, fills each reader's
message, hands it over and records the outcome, until nobody is left or the run is cancelled.

Right before a message cannot be called back any more (the final dot of SMTP), it is checked whether
its reader still wants it, and the journal is told. After a crash at any point, what was not begun
was surely not sent, what has an outcome has it, and only what was begun without an outcome is
Unknown: never more than connections that were open.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import Any

from digest.composer.dkim import DkimSigner
from digest.composer.message import PreparedMessage, prepare_message
from digest.config import Settings
from digest.errors import DigestError, Held, Interrupted
from digest.lib.timestamps import to_text
from digest.model.delivery import OPEN_DELIVERIES, DeliveryState, count_in, is_complete
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.cancellation import CancelReason, CancelToken
from digest.publishing.delivery.precommit import PrecommitCheck
from digest.publishing.delivery.queue import Clock, DeliveryQueue, QuietZones, no_quiet_zones
from digest.publishing.delivery.rejection_guard import RejectionGuard
from digest.publishing.delivery.signing import signer_of
from digest.publishing.delivery.worker import Progress, Worker
from digest.publishing.editions.build import require_postal_address, stored_images
from digest.sender import event_loop
from digest.sender.transport import Transport
from digest.storage import backup, deliveries, delivery_stats, editions, send_journal, suppressions
from digest.storage.database import Database, open_database
from digest.storage.locks import LockFile, sender_lock
from digest.storage.revocations import Revocations
from digest.storage.send_journal import Journal, journal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What a run is about to deliver; `resumed` if an earlier run began it."""

    edition: Edition
    resumed: bool
    counts: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an edition stands after a delivery run.

    `error` is why the run ended early, such as a relay that is at fault; `cancelled` is why it was
    asked to end. `later` are queued and wait for their own hour.
    """

    edition: Edition
    counts: Mapping[DeliveryState, int]
    later: int = 0
    error: DigestError | None = None
    cancelled: CancelReason | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was asked to end, and does not continue by itself."""
        return self.cancelled is not None and not self.cancelled.is_pause

    @property
    def served_everybody(self) -> bool:
        """Whether nobody waits for us: who is left has an hour or a server to wait for."""
        waiting = self.counts[DeliveryState.QUEUED] + self.counts[DeliveryState.SENDING]
        return waiting == self.later and self.error is None and not self.interrupted

    @property
    def complete(self) -> bool:
        """Whether every reader surely has the edition, or was rightly passed over."""
        return is_complete(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSession:
    """The database, ours alone to send from, with nothing claimed."""

    settings: Settings
    newsletter: Newsletter
    db: Database
    lock: LockFile
    signer: DkimSigner | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContext:
    """What a delivery run works with, whichever edition it delivers.

    `progress` is given the plan, and returns what is told of each outcome. `quiet_zones` names the
    time zones whose readers are not mailed at an instant. `dice` is from 0 to 1, for the jitter of
    retries.
    """

    session: SenderSession
    transport: Transport
    clock: Clock
    progress: Callable[[RunPlan], Progress]
    cancel: CancelToken
    quiet_zones: QuietZones = no_quiet_zones
    dice: Callable[[], float] = random


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
        sender_lock(settings.database) as lock,
    ):
        refuse_backup(db)
        _recover(db, now)
        yield SenderSession(
            settings=settings, newsletter=newsletter, db=db, lock=lock, signer=signer
        )


def refuse_backup(db: Database) -> None:
    """Raise Held where the database is a backup that was put back: it has forgotten something."""
    made_at = backup.made_at(db)
    if made_at is not None:
        raise Held(
            f"the database is a backup of {to_text(made_at)}: it does not know what was sent since",
            hint="To continue with this database, run `digest restored`."
            " Until then nothing is sent.",
        )


def deliver(context: DeliveryContext, edition: Edition, *, resumed: bool) -> Report:
    """Deliver what is due of an edition, from inside `sender_session`.

    A relay that is at fault, or a ledger that cannot be written, ends the run; whoever was not
    served stays queued. Raises Interrupted if the run was aborted: what was begun without an
    answer is Unknown.
    """
    session = context.session
    messages = _prepared_messages(session, edition)
    counts = deliveries.counts(session.db, edition.stored_id)
    progress = context.progress(RunPlan(edition=edition, resumed=resumed, counts=counts))
    rejections = RejectionGuard(accepted_before=counts[DeliveryState.SENT] > 0)

    async def run() -> Report:
        with context.cancel.run():
            error = await _send_all(context, edition, messages, rejections, progress)
            return _ended(context, edition, error)

    try:
        return event_loop.run(run())
    except asyncio.CancelledError:
        _recover(session.db, context.clock())
        raise Interrupted(
            f"stopped at once: No. {edition.number} of {edition.newsletter} is not finished",
            hint="`digest send` continues it; `digest status` lists readers who may or may not"
            " have it.",
        ) from None


def _recover(db: Database, now: datetime) -> None:
    """Settle what a process that is no more, or a run that was aborted, left claimed."""
    deliveries.recover(db, send_journal.read(journal_of(db.path)), now)


def _prepared_messages(session: SenderSession, edition: Edition) -> dict[str, PreparedMessage]:
    """The message of each variant, as it was rendered when the edition was prepared."""
    db = session.db
    with stored_images(db, edition) as images:
        return {
            name: prepare_message(
                variant,
                edition,
                site=session.settings.site,
                newsletter=session.newsletter,
                images_folder=images,
                verp_key=suppressions.key(db, suppressions.BOUNCES),
                signer=session.signer,
            )
            for name, variant in editions.variants(db, edition.stored_id).items()
        }


async def _send_all(
    context: DeliveryContext,
    edition: Edition,
    messages: Mapping[str, PreparedMessage],
    rejections: RejectionGuard,
    progress: Progress,
) -> DigestError | None:
    """Send every queued delivery that is due; returns why the run could not continue.

    Nothing is claimed when it begins, and nothing when it has ended in order.
    """
    session, cancel = context.session, context.cancel
    journal = Journal(journal_of(session.db.path))
    queue = DeliveryQueue(
        session.db.path,
        edition.stored_id,
        clock=context.clock,
        recorded=journal.forget,
        quiet_zones=context.quiet_zones,
    )
    try:
        async with context.transport, queue:
            cancel.sending = True
            worker = Worker(
                queue=queue,
                precommit=PrecommitCheck(
                    lock=session.lock,
                    revocations=Revocations(session.db),
                    journal=journal,
                    cancel=cancel,
                ),
                journal=journal,
                messages=messages,
                transport=context.transport,
                rejections=rejections,
                give_up_after=session.settings.give_up_after,
                dice=context.dice,
                clock=context.clock,
                cancel=cancel,
                progress=progress,
            )
            await _all_of(worker.work() for _ in range(context.transport.connections))
            worker.finish()
            return worker.error
    except DigestError as error:
        return error
    finally:
        journal.close()


async def _all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.create_task(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        # One of them failed, or we were cancelled. The others may not continue unseen.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _ended(context: DeliveryContext, edition: Edition, error: DigestError | None) -> Report:
    """Finish the edition if all of its deliveries are, and report how it stands."""
    db = context.session.db
    counts = deliveries.counts(db, edition.stored_id)
    state = _edition_state(counts)
    if state is not EditionState.PREPARED:
        editions.finish(db, edition.stored_id, state, context.clock())
    later = 0
    if counts[DeliveryState.QUEUED]:
        later = delivery_stats.count_not_yet_due(db, edition.stored_id, context.clock())
    return Report(
        # As it is by now: somebody may have stopped it.
        edition=editions.find(db, edition.newsletter, edition.number) or edition,
        counts=counts,
        later=later,
        error=error,
        cancelled=context.cancel.reason,
    )


def _edition_state(counts: Mapping[DeliveryState, int]) -> EditionState:
    """Failed is not sent: an edition that nobody has, and somebody should, is incomplete."""
    if count_in(counts, OPEN_DELIVERIES):
        return EditionState.PREPARED
    nobody = counts[DeliveryState.REJECTED] and not counts[DeliveryState.SENT]
    if counts[DeliveryState.UNKNOWN] or nobody:
        return EditionState.INCOMPLETE
    return EditionState.SENT
