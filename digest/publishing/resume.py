"""Resume: go on with an edition that is not complete, and settle what is Unknown."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from digest.config import Settings
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.queue import Clock
from digest.publishing.delivery.report import Progress, Report
from digest.publishing.delivery.run import Plan, deliver_round, ledger, quietly
from digest.publishing.skipped import Skipped
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.database import Database


class OfUnknown(StrEnum):
    """What to do with deliveries of which nobody knows whether they arrived.

    HOLD leaves them; RESEND risks that some readers get the edition twice, DROP that some never do.
    """

    HOLD = "hold"
    RESEND = "resend"
    DROP = "drop"


def resume(
    settings: Settings,
    newsletter: Newsletter,
    transport: Transport,
    *,
    unknown: OfUnknown = OfUnknown.HOLD,
    before_their_hour: bool = False,
    clock: Clock,
    progress: Callable[[Plan], Progress],
    stopping: Callable[[], None] = quietly,
) -> Report | Skipped:
    """Deliver what an incomplete edition still owes: the oldest stopped one, or else the newest.

    To settle what is Unknown, the newest that has such deliveries is taken.
    Deferred deliveries are tried when their hour has come, or all of them at once with
    `before_their_hour`. No new edition is made. Raises what `send` raises.
    """
    now = clock()
    with ledger(settings, newsletter, now) as held:
        db = held.db
        edition = _meant(db, newsletter, unknown)
        if edition is None:
            return Skipped(reason=f"every edition of {newsletter.key} is complete")
        editions.go_on(db, edition.stored_id)
        _settle_unknown(db, edition, unknown, now)
        deliveries.requeue(db, edition.stored_id, now, before_their_hour=before_their_hour)
        return deliver_round(
            held,
            settings,
            newsletter,
            edition,
            transport,
            resumed=True,
            clock=clock,
            progress=progress,
            stopping=stopping,
        )


def _meant(db: Database, newsletter: Newsletter, unknown: OfUnknown) -> Edition | None:
    there = editions.incomplete(db, newsletter.key)
    if unknown is not OfUnknown.HOLD:
        in_doubt = (
            edition
            for edition in reversed(there)
            if deliveries.counts(db, edition.stored_id)[DeliveryState.UNKNOWN]
        )
        if edition := next(in_doubt, None):
            return edition
    stopped = (edition for edition in there if edition.stopped)
    return next(stopped, there[-1] if there else None)


def _settle_unknown(db: Database, edition: Edition, unknown: OfUnknown, now: datetime) -> None:
    match unknown:
        case OfUnknown.RESEND:
            deliveries.resend_unknown(db, edition.stored_id)
        case OfUnknown.DROP:
            deliveries.drop_unknown(db, edition.stored_id, now)
        case OfUnknown.HOLD:
            pass
