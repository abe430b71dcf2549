"""Send an edition, resume one that is not complete, stop every one that is under way."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from digest.config import Settings
from digest.errors import Held
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.queue import Clock
from digest.publishing.delivery.run import DeliveryContext, Report, RunPlan, deliver, sender_session
from digest.publishing.delivery.worker import Progress
from digest.publishing.drafts.lifecycle import draft_to_send
from digest.publishing.editions.build import Skipped
from digest.publishing.editions.store import prepare, retry_superseded, store_edition
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.database import Database, open_database


class UnknownPolicy(StrEnum):
    """What to do with deliveries of which nobody knows whether they arrived.

    HOLD leaves them; RESEND risks that some readers get the edition twice, DROP that some never do.
    """

    HOLD = "hold"
    RESEND = "resend"
    DROP = "drop"


def send(
    settings: Settings,
    newsletter: Newsletter,
    transport: Transport,
    *,
    now: datetime,
    clock: Clock,
    progress: Callable[[RunPlan], Progress],
    cancel: CancelToken | None = None,
) -> Report | Skipped:
    """Bring every reader the edition that is due.

    An edition that was begun and not finished is finished first, with the content it was begun
    with. A new one follows once every reader of the old one was served, or told to come back later
    by their own server. `cancel` ends it in order: what is under way is finished and recorded, and
    the next call continues from there. The report is of the last edition.
    A draft that was approved is the next edition, before its hour; where approval is required,
    there is no other.

    Raises AlreadySending, Held, SlotTaken, ConfigError, TemplateError and StorageErrors; in these
    cases nobody was mailed.
    """

    def next_edition() -> Edition | Skipped:
        """The edition of the draft that may go out, or else a new one."""
        draft = draft_to_send(session.db, settings, newsletter, now=now)
        if isinstance(draft, Skipped):
            return draft
        if draft is None:
            return prepare(session.db, settings, newsletter, now=now)
        return store_edition(session.db, settings, newsletter, draft, now=now)

    with sender_session(settings, newsletter, clock()) as session:
        context = DeliveryContext(
            session=session,
            transport=transport,
            clock=clock,
            progress=progress,
            cancel=cancel or CancelToken(),
        )
        report = None
        for edition in _begun(session.db, newsletter, clock()):
            report = deliver(context, edition, resumed=True)
            if not report.served_everybody:
                return report
        try:
            new = retry_superseded(next_edition)
        except Held:
            if report is None:
                raise
            return report
        if isinstance(new, Skipped):
            return report or new
        return deliver(context, new, resumed=False)


def _begun(db: Database, newsletter: Newsletter, now: datetime) -> tuple[Edition, ...]:
    """The editions that earlier calls began, oldest first; whoever was deferred is queued again."""
    begun = tuple(
        edition
        for edition in editions.not_sent(db, newsletter.key)
        if edition.state is EditionState.PREPARED
    )
    for edition in begun:
        if edition.stopped:
            raise Held(
                f"No. {edition.number} of {newsletter.key} was stopped",
                hint="`digest resume` continues it from where it was stopped.",
            )
        deliveries.requeue(db, edition.stored_id, now, before_their_hour=True)
    return begun


def resume(
    settings: Settings,
    newsletter: Newsletter,
    transport: Transport,
    *,
    unknown: UnknownPolicy = UnknownPolicy.HOLD,
    before_their_hour: bool = False,
    clock: Clock,
    progress: Callable[[RunPlan], Progress],
    cancel: CancelToken | None = None,
) -> Report | Skipped:
    """Deliver what an incomplete edition still owes: the oldest stopped one, or else the newest.

    To settle what is Unknown, the newest that has such deliveries is taken.
    Deferred deliveries are tried when their hour has come, or all of them at once with
    `before_their_hour`. No new edition is made. Raises what `send` raises.
    """
    now = clock()
    with sender_session(settings, newsletter, now) as session:
        db = session.db
        edition = _edition_to_resume(db, newsletter, unknown)
        if edition is None:
            complete = f"every edition of {newsletter.key} is complete"
            return Skipped(reason=f"there is nothing to continue: {complete}")
        editions.resume(db, edition.stored_id)
        _settle_unknown(db, edition, unknown, now)
        deliveries.requeue(db, edition.stored_id, now, before_their_hour=before_their_hour)
        context = DeliveryContext(
            session=session,
            transport=transport,
            clock=clock,
            progress=progress,
            cancel=cancel or CancelToken(),
        )
        return deliver(context, edition, resumed=True)


def _edition_to_resume(
    db: Database, newsletter: Newsletter, unknown: UnknownPolicy
) -> Edition | None:
    not_sent = editions.not_sent(db, newsletter.key)
    if unknown is not UnknownPolicy.HOLD:
        in_doubt = (
            edition
            for edition in reversed(not_sent)
            if deliveries.counts(db, edition.stored_id)[DeliveryState.UNKNOWN]
        )
        if edition := next(in_doubt, None):
            return edition
    stopped = (edition for edition in not_sent if edition.stopped)
    return next(stopped, not_sent[-1] if not_sent else None)


def _settle_unknown(db: Database, edition: Edition, unknown: UnknownPolicy, now: datetime) -> None:
    match unknown:
        case UnknownPolicy.RESEND:
            deliveries.resend_unknown(db, edition.stored_id)
        case UnknownPolicy.DROP:
            deliveries.drop_unknown(db, edition.stored_id, now)
        case UnknownPolicy.HOLD:
            pass


def stop(
    settings: Settings, newsletter: Newsletter | None = None, *, now: datetime
) -> tuple[Edition, ...]:
    """Stop and name every edition that is under way: of this newsletter, or of all of them.

    There can be several: readers in the west may still wait for one while the next is on its way
    to those in the east. A process that is sending one looks at this before each final dot, on
    every connection.
    """
    chosen = settings.newsletters.values() if newsletter is None else (newsletter,)
    with open_database(settings.database, create=False) as db, db.transaction():
        under_way = tuple(
            edition
            for stopped in chosen
            for edition in editions.not_sent(db, stopped.key)
            if edition.state is EditionState.PREPARED and not edition.stopped
        )
        for edition in under_way:
            editions.stop(db, edition.stored_id, now)
    return under_way
