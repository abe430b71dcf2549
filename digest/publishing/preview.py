"""Preview: what would go out now, made by the same code, leaving no trace."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from digest.composer.page import page
from digest.config import Settings
from digest.errors import AudienceError
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.outcome import Outcome
from digest.model.subscriber import Recipient
from digest.model.variant import RenderedVariant
from digest.publishing.draft import Draft, draft, form_of
from digest.selection import TooFew
from digest.sender.envelope import Envelope
from digest.sender.transport import Transport
from digest.storage import subscriptions
from digest.storage.connection import Access, Database, open_database

#: What stands in the links of a message that is for nobody.
_NOBODYS_LINKS = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One message as it would leave, with its parts; `message` is what a file `.eml` holds."""

    draft: Draft
    variant: RenderedVariant
    recipient: Recipient
    mail_from: str
    message: bytes
    page: str

    @property
    def edition(self) -> Edition:
        """The edition that it belongs to."""
        return self.draft.edition


def preview(
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    reader: str | None = None,
    test_address: str | None = None,
) -> Preview | TooFew | None:
    """The edition of `now` as `reader` would get it, or else somebody without wishes.

    That somebody is at `test_address`, which may be a subscriber too and then has its own wishes.

    None if the reader's topics have nothing in it. Raises AudienceError for an address that has no
    active subscription, and what drafting raises.
    """
    with open_database(settings.database, Access.READ) as db:
        made = draft(db, settings, newsletter, now=now)
        if isinstance(made, TooFew):
            return made
        recipient, language, topics = (
            _anybody(db, newsletter, test_address)
            if reader is None
            else _subscribed(db, newsletter, reader)
        )
    variant = made.press.variant(language, topics)
    if variant is None:
        return None
    form = form_of(variant, made.edition, settings, newsletter)
    return Preview(
        draft=made,
        variant=variant,
        recipient=recipient,
        mail_from=form.mail_from,
        message=form.fill(recipient, delivery_id=0, date=now),
        page=page(
            variant,
            recipient,
            edition=made.edition,
            site=settings.site,
            newsletter=newsletter,
            images_folder=settings.folder,
        ),
    )


_Wishes = tuple[Recipient, str | None, tuple[str, ...]]


def _anybody(db: Database, newsletter: Newsletter, email: str | None) -> _Wishes:
    if email and subscriptions.find_active(db, newsletter.key, email):
        return _subscribed(db, newsletter, email)
    recipient = Recipient(email=email or "reader@example.com", token=_NOBODYS_LINKS)
    return recipient, newsletter.language, ()


def _subscribed(db: Database, newsletter: Newsletter, email: str) -> _Wishes:
    found = subscriptions.find_active(db, newsletter.key, email)
    if found is None:
        raise AudienceError(
            f"{email} has no active subscription to {newsletter.key}",
            hint=f"`digest subscribers show {email}` tells what we know of this address.",
        )
    reader = found.subscriber
    recipient = Recipient(
        email=reader.email, name=reader.name, token=found.token, fields=reader.fields
    )
    return recipient, reader.language, found.topics


def send_test(made: Preview, to: str, transport: Transport) -> Outcome:
    """Hand the previewed message over to one address. The ledger does not hear of it."""

    async def main() -> Outcome:
        async with transport:
            envelope = Envelope(mail_from=made.mail_from, rcpt_to=to)
            return await transport.send(envelope, made.message)

    return asyncio.run(main())
