"""Mailing the owner what happened, each event once.

The notifications are read from the database and stored there in one transaction; the mail is made
of what is stored. An event is recorded as told right before the final dot of the message, which is
the step that cannot be undone: so neither a crash nor a second process mails it twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from digest.composer.plain_message import plain_message
from digest.config import Settings
from digest.errors import ConfigError, DigestError, Superseded
from digest.lib.backoff import Backoff
from digest.model.delivery import Accepted, Outcome, Unknown
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.signing import signer_of
from digest.publishing.notifications.events import WEEK, current_notifications
from digest.sender import event_loop
from digest.sender.message_data import Envelope
from digest.sender.transport import Transport
from digest.storage import notifications
from digest.storage.database import Database, open_database
from digest.storage.notifications import Notification

#: When the owner is mailed again after a failure.
_BACKOFF: Final = Backoff(first=timedelta(minutes=5), longest=timedelta(hours=1))

#: Seconds that a server may take for a notification. Editions wait for it.
_TIMEOUT: Final = 30.0

#: So many notifications are in one mail with their full text; of more, only the subjects are.
_IN_FULL: Final = 20

_FOOTER: Final = """\
You get one message for each event. `digest status` shows the present state;
`service.owner` in digest.toml is the address that gets these messages.
"""


def send_notifications(
    settings: Settings,
    *,
    now: datetime,
    transport: Callable[[], Transport],
    on_new: Callable[[Notification], object] = lambda _: None,
) -> int:
    """Record what is new, and mail the owner what was not mailed yet; returns how many were.

    `on_new` gets each new notification, for the log, whether there is an owner or not. Several go
    out as one mail. What cannot be mailed is kept and tried again for a week. Once a minute is
    often enough: it counts the deliveries of the last editions. Raises StorageError only.
    """
    with open_database(settings.database, create=False) as db:
        for notice in _record_new(db, settings, now):
            on_new(notice)
        owner = settings.service.owner
        if owner is None:
            return 0
        due = notifications.claim(db, now, since=now - WEEK, wait=_BACKOFF.after)
        return len(due) if due and _mailed(db, settings, owner, due, now, transport) else 0


def _record_new(db: Database, settings: Settings, now: datetime) -> Sequence[Notification]:
    """Store what is new in the transaction that reads it. Mostly there is nothing."""
    if all(
        notifications.is_recorded(db, notice.event)
        for notice in current_notifications(db, settings, now)
    ):
        return ()
    with db.transaction():
        current = tuple(current_notifications(db, settings, now))
        return tuple(notice for notice in current if notifications.add(db, notice, now))


def _mailed(
    db: Database,
    settings: Settings,
    owner: str,
    due: Sequence[Notification],
    now: datetime,
    transport: Callable[[], Transport],
) -> bool:
    """Whether the owner has been mailed, or may have been; False if surely not."""
    begun = False

    def begin() -> None:
        nonlocal begun
        if not begun:  # a second server may be tried after the first one's final dot
            notifications.mark_told(db, due, now)
        begun = True

    async def deliver(message: Sequence[bytes]) -> Outcome:
        async with asyncio.timeout(_TIMEOUT), transport() as connection:
            return await connection.send(envelope, message, before_commit=begin)

    newsletter = next(iter(settings.newsletters.values()))
    envelope = Envelope(mail_from=newsletter.sender_address, rcpt_to=owner)
    try:
        message = _message(settings, newsletter, owner, due, now)
        outcome = event_loop.run(deliver(message))
    except Superseded:
        return False
    except (DigestError, OSError) as error:
        # By contract a DigestError means that nothing has left; after anything else it may have.
        arrived = begun and not isinstance(error, DigestError)
    else:
        arrived = isinstance(outcome, Accepted | Unknown)
    if begun and not arrived:
        notifications.unmark_told(db, due)
    return arrived


def _message(
    settings: Settings,
    newsletter: Newsletter,
    owner: str,
    due: Sequence[Notification],
    now: datetime,
) -> Sequence[bytes]:
    first, *others = due
    events = "\n".join(notice.event for notice in due)
    header, body = plain_message(
        newsletter,
        to=owner,
        subject=f"{first.subject} (and {len(others):,} more)" if others else first.subject,
        text=_text(due),
        # The same events have the same Message-ID, whenever and by whomever they are mailed.
        key=f"notice.{blake2b(events.encode(), digest_size=10).hexdigest()}",
        date=now,
    )
    try:
        signer = signer_of(settings, newsletter)
    except ConfigError:
        signer = None  # editions fail because of that as well, and just this has to be told
    if signer is None:
        return header, body
    return signer.prepare((header, body), ()).signed((header, body))


def _text(due: Sequence[Notification]) -> str:
    if len(due) == 1:
        return f"{due[0].body}\n--\n{_FOOTER}"
    parts = [f"* {notice.subject}\n\n{notice.body}" for notice in due[:_IN_FULL]]
    if len(due) > _IN_FULL:
        parts.append("".join(f"* {notice.subject}\n" for notice in due[_IN_FULL:]))
    return "\n".join([*parts, f"--\n{_FOOTER}"])
