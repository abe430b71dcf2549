"""Send: finish the edition that is under way, or else prepare the next one and deliver it."""

from collections.abc import Callable
from datetime import datetime

from digest.config import Settings
from digest.errors import Held
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.claims import Clock
from digest.publishing.deliver import Progress, Report
from digest.publishing.prepare import prepare
from digest.publishing.round import Plan, Skipped, deliver_round, ledger
from digest.selection import TooFew
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.connection import Database


def send(
    settings: Settings,
    newsletter: Newsletter,
    transport: Transport,
    *,
    now: datetime,
    clock: Clock,
    progress: Callable[[Plan], Progress],
) -> Report | Skipped:
    """Bring every reader the edition that is due.

    An edition that was begun and not finished is finished first, with the content it was begun
    with; a new one is made by the next call. Ctrl-C and SIGTERM end it in order: what is under way
    is finished and recorded, and the next call goes on from there.

    Raises AlreadySending, Held, SlotTaken, ConfigError, TemplateError and StorageErrors; in these
    cases nobody was mailed.
    """
    with ledger(settings, clock()) as db:
        begun = _begun(db, newsletter, clock())
        edition = begun or prepare(db, settings, newsletter, now=now)
        if edition is None:
            return Skipped(reason="nobody would receive it: there is no active reader it suits")
        if isinstance(edition, TooFew):
            return Skipped(reason=too_few(edition))
        return deliver_round(
            db,
            settings,
            newsletter,
            edition,
            transport,
            resumed=begun is not None,
            clock=clock,
            progress=progress,
        )


def too_few(result: TooFew) -> str:
    """Why there is no edition, in words."""
    if result.found == 0:
        return "there is nothing new"
    stories = "story" if result.found == 1 else "stories"
    return f"{result.found} new {stories}, and an edition needs {result.needed} (min_items)"


def _begun(db: Database, newsletter: Newsletter, now: datetime) -> Edition | None:
    """The edition that an earlier call began; whoever was deferred is queued again."""
    edition = editions.last(db, newsletter.key)
    if edition is None or edition.state is not EditionState.PREPARED:
        return None
    if edition.stopped:
        raise Held(
            f"No. {edition.number} of {newsletter.key} was stopped",
            hint="`digest resume` goes on with it, from where it was stopped.",
        )
    deliveries.requeue(db, edition.stored_id, now, before_their_hour=True)
    return edition
