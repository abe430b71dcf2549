"""A round: one process brings a stored edition to whoever still waits for it.

What `send` and `resume` have in common: settle what an earlier process left behind, build the
message forms from what was rendered when the edition was prepared, and run until the end or Ctrl-C.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from digest.config import Settings
from digest.errors import ConfigError, Problem
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.publishing.claims import Clock
from digest.publishing.deliver import Progress, Report, Stop, deliver
from digest.publishing.draft import form_of
from digest.publishing.lock import sending
from digest.sender.transport import Transport
from digest.storage import deliveries, editions, journal
from digest.storage.connection import Database, open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a round is about to deliver; `resumed` if an earlier round began it."""

    edition: Edition
    resumed: bool
    counts: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nothing was sent, and nothing was written. `reason` is a sentence."""

    reason: str


@contextmanager
def ledger(settings: Settings, now: datetime) -> Iterator[Database]:
    """The database, ours alone to send from, with nothing claimed.

    Raises AlreadySending, ConfigError without a postal address, and StorageErrors.
    """
    _require_postal_address(settings)
    with sending(settings.database), open_database(settings.database) as db:
        deliveries.recover(db, journal.read(journal.journal_of(settings.database)), now)
        yield db


def _require_postal_address(settings: Settings) -> None:
    """Refuse to mail without one: the law asks for it in most countries (CAN-SPAM, 15 USC 7704)."""
    if not settings.site.postal_address.strip():
        raise ConfigError(
            "no message leaves without the publisher's postal address",
            problems=[Problem(path="site.postal_address", found="nothing", expected="an address")],
        )


def deliver_round(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    edition: Edition,
    transport: Transport,
    *,
    resumed: bool,
    clock: Clock,
    progress: Callable[[Plan], Progress],
) -> Report:
    """Deliver what is queued of an edition, from inside `ledger`.

    The first Ctrl-C or SIGTERM ends it in order. The second one ends it at once, as
    KeyboardInterrupt; the next round then finds out what is in doubt.
    """
    forms = {
        name: form_of(variant, edition, settings, newsletter)
        for name, variant in editions.variants(db, edition.stored_id).items()
    }
    counts = deliveries.counts(db, edition.stored_id)
    told = progress(Plan(edition=edition, resumed=resumed, counts=counts))

    async def main() -> Report:
        stop = Stop()
        with _ends_in_order(asyncio.get_running_loop(), stop):
            return await deliver(
                db, edition, forms, transport, clock=clock, stop=stop, progress=told
            )

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@contextmanager
def _ends_in_order(loop: asyncio.AbstractEventLoop, stop: Stop) -> Iterator[None]:
    """The first signal asks for an orderly end, the second one is obeyed at once."""
    task = asyncio.current_task()

    def on_signal() -> None:
        if stop.requested and task is not None:
            task.cancel()
        stop.request()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
