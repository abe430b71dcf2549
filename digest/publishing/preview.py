"""Preview: what would go out now, made by the same code, leaving no trace.

`preview` makes one message of it, `dry_run` says what a call of `send` would do.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from digest.composer.message import prepare_message
from digest.composer.web_page import page
from digest.config import Settings
from digest.errors import SubscriberError
from digest.model.delivery import WAITING_DELIVERIES, Outcome, count_in
from digest.model.edition import Edition, EditionState, RenderedVariant
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient
from digest.publishing.delivery.signing import signer_of
from digest.publishing.drafts.lifecycle import draft_to_send, draft_to_show
from digest.publishing.editions.build import (
    NOBODY,
    Skipped,
    build_edition,
    require_postal_address,
    stored_images,
)
from digest.publishing.editions.renderer import VariantRenderer
from digest.sender.message_data import Envelope
from digest.sender.transport import Transport
from digest.storage import deliveries, editions, subscriptions
from digest.storage.database import Access, Database, open_database


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """An edition that `send` would make, or finish where `begun`; `readers` wait for it."""

    number: int
    subject: str
    readers: int
    begun: bool


def dry_run(settings: Settings, newsletter: Newsletter, *, now: datetime) -> DryRun | Skipped:
    """What `send` would do at `now`. Writes nothing; raises what `send` would raise."""
    require_postal_address(settings)
    with open_database(settings.database, Access.READ) as db:
        edition = _under_way(db, newsletter)
        if edition is not None:
            readers = _waiting(db, edition)
        else:
            build = draft_to_send(db, settings, newsletter, now=now)
            build = build or build_edition(db, settings, newsletter, now=now)
            if isinstance(build, Skipped):
                return build
            if build.readers == 0:
                return NOBODY
            edition, readers = build.edition, build.readers
    return DryRun(
        number=edition.number, subject=edition.subject, readers=readers, begun=bool(edition.id)
    )


def _under_way(db: Database, newsletter: Newsletter) -> Edition | None:
    edition = editions.last(db, newsletter.key)
    return edition if edition and edition.state is EditionState.PREPARED else None


def _waiting(db: Database, edition: Edition) -> int:
    return count_in(deliveries.counts(db, edition.stored_id), WAITING_DELIVERIES)


#: What stands in the links of a message that is for nobody.
_NOBODYS_LINKS = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One message as it would leave, with its parts; `message` is what a file `.eml` holds.

    `readers` counts whom the edition is for; `begun` says that it is stored already and unfinished.
    """

    edition: Edition
    readers: int
    begun: bool
    variant: RenderedVariant
    recipient: Recipient
    mail_from: str
    message: bytes
    page: str


def preview(
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    reader: str | None = None,
    test_address: str | None = None,
    signed: bool = False,
) -> Preview | Skipped:
    """What `send` would send at `now`: the edition that was begun, or else a new one.

    As `reader` would get it, or else somebody at `test_address` without a language or topics of
    their own; a subscriber's address has its own. Only with `signed` are the keys needed that sign
    the real ones: who looks at an edition need not have them.

    Raises SubscriberError for a reader that has no active subscription, and what building raises.
    """
    with open_database(settings.database, Access.READ) as db, ExitStack() as stack:
        shown = _edition_to_show(db, settings, newsletter, now)
        if isinstance(shown, Skipped):
            return shown
        recipient, language, topics = _reader(db, newsletter, reader, test_address)
        images = settings.folder
        if shown.stored:
            images = stack.enter_context(stored_images(db, shown.edition))
        renderer = shown.renderer
        key = renderer.key(renderer.segment_of(recipient, language, topics))
        variant = shown.stored.get(key.name)
        variant = variant or renderer.variant_for(recipient, language, topics)
        if variant is None:
            return Skipped(reason=f"it has nothing for the topics of {recipient.email}")
        signer = signer_of(settings, newsletter) if signed else None
        prepared = prepare_message(
            variant,
            shown.edition,
            site=settings.site,
            newsletter=newsletter,
            images_folder=images,
            signer=signer,
        )
        return Preview(
            edition=shown.edition,
            readers=shown.readers,
            begun=bool(shown.stored),
            variant=variant,
            recipient=recipient,
            mail_from=prepared.mail_from(0),
            message=prepared.fill(recipient, delivery_id=0, date=now),
            page=page(
                variant,
                recipient,
                edition=shown.edition,
                site=settings.site,
                newsletter=newsletter,
                images_folder=images,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _EditionToShow:
    """An edition and the means to show it; `stored` are the variants of one that was begun."""

    edition: Edition
    renderer: VariantRenderer
    readers: int
    stored: Mapping[str, RenderedVariant]


def _edition_to_show(
    db: Database, settings: Settings, newsletter: Newsletter, now: datetime
) -> _EditionToShow | Skipped:
    edition = _under_way(db, newsletter)
    if edition is None:
        build = draft_to_show(db, settings, newsletter, now=now)
        build = build or build_edition(db, settings, newsletter, now=now)
        if isinstance(build, Skipped):
            return build
        return _EditionToShow(
            edition=build.edition, renderer=build.renderer, readers=build.readers, stored={}
        )
    stored = editions.variants(db, edition.stored_id)
    # All variants of an edition answer the same segment fields.
    fields = dict.fromkeys(name for variant in stored.values() for name, _ in variant.key.fields)
    renderer = VariantRenderer(settings, newsletter, edition, segment_fields=tuple(fields))
    return _EditionToShow(
        edition=edition, renderer=renderer, readers=_waiting(db, edition), stored=stored
    )


def _reader(
    db: Database, newsletter: Newsletter, reader: str | None, test_address: str | None
) -> tuple[Recipient, str | None, tuple[str, ...]]:
    """Whom the message is for, with their language and topics."""
    email = reader or test_address
    subscription = subscriptions.find_active(db, newsletter.key, email) if email else None
    if subscription is not None:
        person = subscription.subscriber
        recipient = Recipient(
            email=person.email, name=person.name, token=subscription.token, fields=person.fields
        )
        return recipient, person.language, subscription.topics
    if reader is not None:
        raise SubscriberError(
            f"{reader} has no active subscription to {newsletter.key}",
            hint=f"`digest subscribers show {reader}` tells what is known of this address.",
        )
    recipient = Recipient(email=email or "reader@example.com", token=_NOBODYS_LINKS)
    return recipient, newsletter.language, ()


def send_test(previewed: Preview, to: str, transport: Transport) -> Outcome:
    """Hand the previewed message over to one address. It leaves no trace in the ledger."""

    async def main() -> Outcome:
        async with transport:
            envelope = Envelope(mail_from=previewed.mail_from, rcpt_to=to)
            return await transport.send(envelope, previewed.message)

    return asyncio.run(main())
