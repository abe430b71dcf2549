"""`digest send`: an edition now."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.output import Exit, note
from digest.cli.rounds import report_round
from digest.cli.session import Session, instant_of, session_of

if TYPE_CHECKING:
    from digest.model.newsletter import Newsletter
    from digest.sender.transport import Transport


def send(
    context: typer.Context,
    newsletter: Annotated[str | None, typer.Argument(help="Its key in digest.toml.")] = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="EMAIL", help="A test: to this address only, leaving no trace."
        ),
    ] = None,
    outbox: Annotated[
        Path | None,
        typer.Option(
            "--outbox", metavar="DIR", help="Write .eml files here instead of using SMTP."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="As if it were this time, such as 2026-03-12T07:00."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Send an edition now, to every active reader, once.

    An edition that was interrupted is finished first; nobody gets it twice. On a terminal it asks
    before it sends.

    Example: `digest send daily --yes`
    """
    session = session_of(context)
    chosen = session.settings.newsletter(newsletter)
    now = instant_of(at, session.settings)
    if to is not None:
        _test(session, chosen, to, outbox, now)
        return
    if dry_run or (sys.stdin.isatty() and sys.stderr.isatty() and not yes):
        _announce(session, chosen, now, ask=not dry_run)
        if dry_run:
            return
    _send(session, chosen, outbox, now, as_json=as_json)


def transport_of(session: Session, outbox: Path | None) -> "Transport":
    """What carries the messages: the server that is configured, or a folder."""
    if outbox is not None:
        from digest.sender.folder import FolderTransport

        return FolderTransport(outbox)
    from digest.sender.smtp import SmtpTransport

    return SmtpTransport(session.settings.smtp)


def _test(
    session: Session, newsletter: "Newsletter", to: str, outbox: Path | None, now: datetime
) -> None:
    from digest.model.instant import next_second
    from digest.model.outcome import Accepted
    from digest.publishing.preview import preview, send_test
    from digest.publishing.send import too_few
    from digest.selection import TooFew

    made = preview(session.settings, newsletter, now=next_second(now), test_address=to)
    if made is None or isinstance(made, TooFew):
        note(f"skipped: {too_few(made) if made else 'nothing for the topics of ' + to}")
        raise typer.Exit(Exit.SKIPPED)
    outcome = send_test(made, to, transport_of(session, outbox))
    if isinstance(outcome, Accepted):
        note(f"test of No. {made.edition.number} accepted for {to}: {outcome.reply}")
        return
    note(f"test not accepted for {to}: {outcome.reason}")
    raise typer.Exit(Exit.INCOMPLETE)


def _announce(session: Session, newsletter: "Newsletter", now: datetime, *, ask: bool) -> None:
    from digest.model.instant import next_second
    from digest.publishing.outlook import Resume, outlook
    from digest.publishing.send import too_few
    from digest.selection import TooFew

    ahead = outlook(session.settings, newsletter, now=next_second(now))
    if isinstance(ahead, TooFew):
        note(f"skipped: {too_few(ahead)}")
        raise typer.Exit(Exit.SKIPPED)
    verb = "finish" if isinstance(ahead, Resume) else "send"
    what = f"{verb} No. {ahead.number} of {newsletter.title}, “{ahead.subject}”"
    readers = f"{ahead.readers:,} {'reader' if ahead.readers == 1 else 'readers'}"
    if not ask:
        note(f"would {what}, to {readers}; nothing was sent or stored")
        return
    if not typer.confirm(f"{what[0].upper()}{what[1:]}, to {readers}?", err=True):
        note("nothing was sent")
        raise typer.Exit(Exit.DONE)


def _send(
    session: Session,
    newsletter: "Newsletter",
    outbox: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    from digest.cli.progress import delivery_progress
    from digest.model.instant import next_second
    from digest.publishing.send import send as use_case

    with delivery_progress() as progress:
        result = use_case(
            session.settings,
            newsletter,
            transport_of(session, outbox),
            now=next_second(now),
            clock=lambda: datetime.now(UTC),
            progress=progress,
        )
    report_round(result, as_json=as_json)
