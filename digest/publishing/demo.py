"""The demo: the sample newsletter through the same code as `send`, to a real SMTP server."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from digest.config import Security, Settings, SmtpSettings
from digest.config.load import load
from digest.lib.timestamps import from_text
from digest.model.subscriber import MembershipStatus
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.run import Report, RunPlan
from digest.publishing.delivery.worker import Progress
from digest.publishing.editions.build import Skipped
from digest.publishing.preview import preview
from digest.publishing.send import send
from digest.sample import copy_to
from digest.sender.local_server import LocalServer, ReceivedMessage
from digest.sender.smtp import SmtpTransport
from digest.storage import subscriptions
from digest.storage.database import Access, open_database

#: The morning on which the sample's edition is due; its articles are from the days before.
NOW = from_text("2026-03-12T07:00:00Z")

_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """What one active reader of the sample was sent, as the server received it."""

    email: str
    messages: int
    parts: tuple[str, ...]
    language: str
    bytes: int
    file: Path | None

    @property
    def exactly_one(self) -> bool:
        """One message, with a text and an HTML part."""
        return self.messages == 1 and self.parts == ("text/plain", "text/html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What happened: the delivery, what every reader got, and files to look at."""

    settings: Settings
    report: Report
    received: tuple[ReceivedMail, ...]
    html: Path
    text: Path


def demo(
    folder: Path, *, progress: Callable[[RunPlan], Progress], cancel: CancelToken | None = None
) -> Demo | Skipped:
    """Copy the sample into `folder`, send its edition, and collect what arrived.

    `cancel` ends the sending in order; what arrived until then is collected.
    Raises what `send` raises; a folder that already holds a demo has had its edition: Skipped.
    """
    copy_to(folder)
    settings = load(folder / "digest.toml", {})
    newsletter = settings.newsletter(None)
    # Before it is sent: afterwards there is nothing new to preview.
    shown = preview(settings, newsletter, now=NOW)
    with LocalServer() as server:
        local = replace(
            settings,
            smtp=SmtpSettings(host=server.host, port=server.port, security=Security.NONE),
        )
        report = send(
            local,
            newsletter,
            SmtpTransport(local.smtp),
            now=NOW,
            clock=lambda: datetime.now(UTC),
            progress=progress,
            cancel=cancel,
        )
        arrived = server.messages
    if isinstance(report, Skipped):
        return report
    if isinstance(shown, Skipped):
        return shown
    with open_database(settings.database, Access.READ) as db:
        active = subscriptions.members(db, newsletter.key, [MembershipStatus.ACTIVE])
        readers = [member.subscriber.email for member in active]
    html, text = folder / "digest.html", folder / "digest.txt"
    html.write_text(shown.page, encoding="utf-8")
    body = _parsed(shown.message).get_body(("plain",))
    text.write_text(str(body.get_content()) if body else "", encoding="utf-8")
    outbox = folder / "outbox"
    outbox.mkdir(exist_ok=True)
    received = tuple(_received(email, arrived, outbox) for email in readers)
    return Demo(settings=settings, report=report, received=received, html=html, text=text)


def _received(email: str, arrived: list[ReceivedMessage], outbox: Path) -> ReceivedMail:
    received_mail = [message for message in arrived if email in message.rcpt_to]
    if not received_mail:
        return ReceivedMail(email=email, messages=0, parts=(), language="", bytes=0, file=None)
    file = outbox / f"{_UNSAFE.sub('_', email)}.eml"
    file.write_bytes(received_mail[0].message)
    message = _parsed(received_mail[0].message)
    return ReceivedMail(
        email=email,
        messages=len(received_mail),
        parts=tuple(
            f"text/{kind}" for kind in ("plain", "html") if message.get_body((kind,)) is not None
        ),
        language=str(message["Content-Language"] or ""),
        bytes=len(received_mail[0].message),
        file=file,
    )


def _parsed(message: bytes) -> EmailMessage:
    return message_from_bytes(message, policy=default)
