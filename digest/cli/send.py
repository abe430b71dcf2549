"""`digest send`: an edition now."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.asking import confirm, on_a_terminal
from digest.cli.console import Exit, note, print_json, say
from digest.cli.options import AsJson, At, NewsletterArgument, Outbox
from digest.cli.rounds import report_round, tell_ending
from digest.cli.session import Session, existing_database, instant_of, session_of, typed_in
from digest.errors import UsageError
from digest.lib.formatting import counted

if TYPE_CHECKING:
    from digest.model.newsletter import Newsletter
    from digest.publishing.editions.build import Skipped
    from digest.sender.transport import Transport


def send(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="EMAIL", help="A test: to this address only, leaving no trace."
        ),
    ] = None,
    outbox: Outbox = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Send an edition now, to every active reader, once.

    An edition that was interrupted is finished first; nobody gets it twice. On a terminal it asks
    before it sends.

    Example: `digest send daily --yes`
    """
    if to is not None and dry_run:
        raise UsageError(
            "--to and --dry-run do not go together: a test is a message that leaves",
            hint="`digest preview` shows the message without sending it.",
        )
    session = session_of(context)
    chosen = session.settings.newsletter(newsletter)
    now = instant_of(at, session.settings)
    existing_database(session.settings)
    if to is not None:
        _test(session, chosen, to, outbox, now, as_json=as_json)
        return
    if dry_run:
        _say_what_would_be(session, chosen, now, as_json=as_json)
        return
    if on_a_terminal() and not yes:
        _ask_first(session, chosen, now, as_json=as_json)
    _send(session, chosen, outbox, now, as_json=as_json)


def transport_of(session: Session, outbox: Path | None) -> "Transport":
    """What carries the messages: the relays that are configured, or a folder."""
    if outbox is not None:
        if outbox.exists() and not outbox.is_dir():
            raise UsageError(
                f"--outbox: {outbox} is a file, expected a folder",
                hint="Name a folder, or a name that does not exist yet.",
            )
        from digest.sender.folder import FolderTransport

        return FolderTransport(outbox)
    from digest.sender.factory import transport_for

    return transport_for(session.settings)


def _test(
    session: Session,
    newsletter: "Newsletter",
    to: str,
    outbox: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    from digest.lib.timestamps import next_second
    from digest.model.delivery import Accepted
    from digest.publishing.editions.build import Skipped
    from digest.publishing.preview import preview, send_test
    from digest.subscribers.address import normalise

    with typed_in():
        to = normalise(to)
    made = preview(session.settings, newsletter, now=next_second(now), test_address=to, signed=True)
    if isinstance(made, Skipped):
        raise _skipped(made, as_json=as_json)
    outcome = send_test(made, to, transport_of(session, outbox))
    accepted = isinstance(outcome, Accepted)
    told = str(outcome.reply) if isinstance(outcome, Accepted) else outcome.reason
    number = made.edition.number
    if as_json:
        word = type(outcome).__name__.lower()
        print_json({"result": word, "test": True, "number": number, "to": to, "reply": told})
    else:
        result = "accepted" if accepted else "not accepted"
        say(f"test of No. {number} {result} for {to}: {told}")
    if not accepted:
        raise typer.Exit(Exit.INCOMPLETE)


def _skipped(why: "Skipped", *, as_json: bool) -> typer.Exit:
    if as_json:
        print_json({"result": "skipped", "reason": why.reason})
    note(f"skipped: {why.reason}")
    return typer.Exit(Exit.SKIPPED)


def _say_what_would_be(
    session: Session, newsletter: "Newsletter", now: datetime, *, as_json: bool
) -> None:
    from digest.lib.timestamps import next_second
    from digest.publishing.editions.build import Skipped
    from digest.publishing.preview import Resume, outlook

    ahead = outlook(session.settings, newsletter, now=next_second(now))
    if isinstance(ahead, Skipped):
        raise _skipped(ahead, as_json=as_json)
    verb = "finish" if isinstance(ahead, Resume) else "send"
    if as_json:
        print_json(
            {
                "result": f"would {verb}",
                "newsletter": newsletter.key,
                "number": ahead.number,
                "subject": ahead.subject,
                "readers": ahead.readers,
            }
        )
        return
    say(
        f"would {verb} No. {ahead.number} of {newsletter.title}, “{ahead.subject}”, to"
        f" {counted(ahead.readers, 'reader')}; nothing was sent or stored"
    )


def _ask_first(session: Session, newsletter: "Newsletter", now: datetime, *, as_json: bool) -> None:
    from digest.lib.timestamps import next_second
    from digest.publishing.editions.build import Skipped
    from digest.publishing.preview import Resume, outlook

    ahead = outlook(session.settings, newsletter, now=next_second(now))
    if isinstance(ahead, Skipped):
        raise _skipped(ahead, as_json=as_json)
    verb = "Finish" if isinstance(ahead, Resume) else "Send"
    readers = counted(ahead.readers, "reader")
    if not confirm(
        f"{verb} No. {ahead.number} of {newsletter.title}, “{ahead.subject}”, to {readers}?"
    ):
        if as_json:
            print_json({"result": "not sent"})
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
    from digest.lib.timestamps import next_second
    from digest.publishing.send import send as use_case

    with delivery_progress() as progress:
        result = use_case(
            session.settings,
            newsletter,
            transport_of(session, outbox),
            now=next_second(now),
            clock=lambda: datetime.now(UTC),
            progress=progress,
            stopping=tell_ending,
        )
    report_round(result, as_json=as_json)
