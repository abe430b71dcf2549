"""Send: finish the edition that is under way, or else prepare the next one and deliver it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from digest.config import Settings
from digest.errors import Held
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.queue import Clock
from digest.publishing.delivery.report import Progress, Report
from digest.publishing.delivery.run import Plan, deliver_round, ledger, quietly
from digest.publishing.drafts.at_hand import to_send
from digest.publishing.editions.store import freeze, persistently, prepare
from digest.publishing.skipped import Skipped
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.database import Database


def send(
    settings: Settings,
    newsletter: Newsletter,
    transport: Transport,
    *,
    now: datetime,
    clock: Clock,
    progress: Callable[[Plan], Progress],
    stopping: Callable[[], None] = quietly,
) -> Report | Skipped:
    """Bring every reader the edition that is due.

    An edition that was begun and not finished is finished first, with the content it was begun
    with. A new one follows once every reader of the old one was served, or told to come back later
    by their own server. Ctrl-C and SIGTERM end it in order: what is under way is finished and
    recorded, and the next call goes on from there. The report is of the last edition.
    A draft that was approved is the next edition, before its hour; where approval is required,
    there is no other.

    Raises AlreadySending, Held, SlotTaken, ConfigError, TemplateError and StorageErrors; in these
    cases nobody was mailed.
    """
    with ledger(settings, newsletter, clock()) as held:

        def deliver(edition: Edition, *, resumed: bool) -> Report:
            return deliver_round(
                held,
                settings,
                newsletter,
                edition,
                transport,
                resumed=resumed,
                clock=clock,
                progress=progress,
                stopping=stopping,
            )

        finished = None
        for edition in _begun(held.db, newsletter, clock()):
            finished = deliver(edition, resumed=True)
            if not finished.served_everybody:
                return finished
        try:
            prepared = persistently(partial(_next, held.db, settings, newsletter, now))
        except Held:
            if finished is None:
                raise
            return finished
        if isinstance(prepared, Skipped):
            return finished or prepared
        return deliver(prepared, resumed=False)


def _next(
    db: Database, settings: Settings, newsletter: Newsletter, now: datetime
) -> Edition | Skipped:
    """The edition of the draft that may go out, or else a new one."""
    ready = to_send(db, settings, newsletter, now=now)
    if isinstance(ready, Skipped):
        return ready
    if ready is None:
        return prepare(db, settings, newsletter, now=now)
    return freeze(db, settings, newsletter, ready, now=now)


def _begun(db: Database, newsletter: Newsletter, now: datetime) -> tuple[Edition, ...]:
    """The editions that earlier calls began, oldest first; whoever was deferred is queued again."""
    begun = tuple(
        edition
        for edition in editions.incomplete(db, newsletter.key)
        if edition.state is EditionState.PREPARED
    )
    for edition in begun:
        if edition.stopped:
            raise Held(
                f"No. {edition.number} of {newsletter.key} was stopped",
                hint="`digest resume` goes on with it, from where it was stopped.",
            )
        deliveries.requeue(db, edition.stored_id, now, before_their_hour=True)
    return begun
