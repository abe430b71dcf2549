"""Send: finish the edition that is under way, or else prepare the next one and deliver it."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from digest.composer.form import MessageForm
from digest.config import Settings
from digest.errors import ConfigError, Problem
from digest.model.delivery import DeliveryState
from digest.model.edition import Edition, EditionState
from digest.model.newsletter import Newsletter
from digest.publishing.deliver import Clock, Progress, Report, Stop, deliver
from digest.publishing.draft import form_of
from digest.publishing.lock import sending
from digest.publishing.prepare import prepare
from digest.selection import TooFew
from digest.sender.transport import Transport
from digest.storage import deliveries, editions
from digest.storage.connection import Database, open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """No edition was made, and nothing was written. `reason` is a sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call of `send` delivers; `resumed` if an earlier call began it."""

    edition: Edition
    resumed: bool
    counts: Mapping[DeliveryState, int]


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

    Raises AlreadySending, SlotTaken, ConfigError, TemplateError and StorageErrors; in these cases
    nobody was mailed.
    """
    _require_postal_address(settings)
    with sending(settings.database), open_database(settings.database) as db:
        found = _unfinished(db, newsletter, clock())
        resumed = found is not None
        edition = found or prepare(db, settings, newsletter, now=now)
        if edition is None:
            return Skipped(reason="nobody would receive it: there is no active reader it suits")
        if isinstance(edition, TooFew):
            return Skipped(reason=too_few(edition))
        plan = Plan(edition=edition, resumed=resumed, counts=_counts(db, edition))
        forms = _forms(db, settings, newsletter, edition)
        return _run(db, plan, forms, transport, clock=clock, progress=progress(plan))


def too_few(result: TooFew) -> str:
    """Why there is no edition, in words."""
    if result.found == 0:
        return "there is nothing new"
    stories = "story" if result.found == 1 else "stories"
    return f"{result.found} new {stories}, and an edition needs {result.needed} (min_items)"


def _require_postal_address(settings: Settings) -> None:
    """Refuse to mail without one: the law asks for it in most countries (CAN-SPAM, 15 USC 7704)."""
    if not settings.site.postal_address.strip():
        raise ConfigError(
            "no message leaves without the publisher's postal address",
            problems=[Problem(path="site.postal_address", found="nothing", expected="an address")],
        )


def _unfinished(db: Database, newsletter: Newsletter, now: datetime) -> Edition | None:
    edition = editions.last(db, newsletter.key)
    if edition is None or edition.id is None or edition.state is not EditionState.PREPARED:
        return None
    deliveries.take_up(db, edition.id, now)
    return edition


def _counts(db: Database, edition: Edition) -> Mapping[DeliveryState, int]:
    return deliveries.counts(db, edition.id or 0)


def _forms(
    db: Database, settings: Settings, newsletter: Newsletter, edition: Edition
) -> dict[str, MessageForm]:
    return {
        name: form_of(variant, edition, settings, newsletter)
        for name, variant in editions.variants(db, edition.id or 0).items()
    }


def _run(
    db: Database,
    plan: Plan,
    forms: Mapping[str, MessageForm],
    transport: Transport,
    *,
    clock: Clock,
    progress: Progress,
) -> Report:
    async def main() -> Report:
        stop = Stop()
        with _ends_in_order(asyncio.get_running_loop(), stop):
            return await deliver(
                db, plan.edition, forms, transport, clock=clock, stop=stop, progress=progress
            )

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


@contextmanager
def _ends_in_order(loop: asyncio.AbstractEventLoop, stop: Stop) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM asks for an orderly end, the second one is obeyed at once."""
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
