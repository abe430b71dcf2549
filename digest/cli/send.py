"""`digest send`: an edition now.

What `send` and `resume` print about a round of delivery.

`digest resume` and `digest stop`: go on with an edition, or let nothing more of it leave.
"""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from digest.cli.console import Exit, confirm, note, on_a_terminal, print_error, print_json, say
from digest.cli.options import AsJson, At, NewsletterArgument, Outbox
from digest.cli.progress import delivery_progress
from digest.cli.session import CommandSession, existing_database, instant_of, session_of, typed_in
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.lib.timestamps import next_second
from digest.model.delivery import Accepted
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.report import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.preview import WouldResume, dry_run, preview, send_test
from digest.publishing.send import UnknownPolicy
from digest.publishing.send import resume as resume_edition
from digest.publishing.send import send as send_edition
from digest.publishing.send import stop as stop_editions
from digest.sender.factory import transport_for
from digest.sender.folder import FolderTransport
from digest.sender.transport import Transport
from digest.subscribers.address import normalise


def tell_ending() -> None:
    """Somebody pressed Ctrl-C once."""
    note("ending after what is under way; Ctrl-C again ends at once")


def report_round(report: Report | Skipped, *, as_json: bool) -> None:
    """Print how an edition stands after a round; exits with the code that says so."""
    if isinstance(report, Skipped):
        if as_json:
            print_json({"result": "skipped", "reason": report.reason})
        note(f"skipped: {report.reason}")
        raise typer.Exit(Exit.SKIPPED)
    counts = {state.value: n for state, n in report.counts.items() if n}
    if as_json:
        print_json(_as_json(report, counts))
    else:
        listed = ", ".join(f"{n:,} {state}" for state, n in counts.items())
        say(f"No. {report.edition.number} “{report.edition.subject}”: {listed}")
    if report.error is not None:
        print_error(report.error)
    if report.interrupted:
        note("interrupted: what was under way was finished")
    if report.complete:
        return
    if report.later:
        note(f"{counted(report.later, 'reader')} of these wait for their own hour")
    if report.edition.stopped:
        note("it was stopped: `digest resume` goes on with it; nobody gets the edition twice")
    elif any(counts.get(state) for state in ("queued", "deferred")):
        note("`digest send` goes on where this ended; nobody gets the edition twice")
    note("`digest status` lists everybody who does not surely have it")
    raise typer.Exit(Exit.INCOMPLETE)


def _as_json(report: Report, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "result": "complete" if report.complete else "incomplete",
        "newsletter": report.edition.newsletter,
        "number": report.edition.number,
        "slot": report.edition.slot,
        "subject": report.edition.subject,
        "deliveries": counts,
        "later": report.later,
        "interrupted": report.interrupted,
        "error": report.error.message if report.error else None,
    }


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
    """Send an edition now, once to each active reader.

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


def transport_of(session: CommandSession, outbox: Path | None) -> Transport:
    """What carries the messages: the relays that are configured, or a folder."""
    if outbox is not None:
        if outbox.exists() and not outbox.is_dir():
            raise UsageError(
                f"--outbox: {outbox} is a file, expected a folder",
                hint="Name a folder, or a name that does not exist yet.",
            )
        return FolderTransport(outbox)
    return transport_for(session.settings)


def _test(
    session: CommandSession,
    newsletter: Newsletter,
    to: str,
    outbox: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
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


def _skipped(why: Skipped, *, as_json: bool) -> typer.Exit:
    if as_json:
        print_json({"result": "skipped", "reason": why.reason})
    note(f"skipped: {why.reason}")
    return typer.Exit(Exit.SKIPPED)


def _say_what_would_be(
    session: CommandSession, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    ahead = dry_run(session.settings, newsletter, now=next_second(now))
    if isinstance(ahead, Skipped):
        raise _skipped(ahead, as_json=as_json)
    verb = "finish" if isinstance(ahead, WouldResume) else "send"
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


def _ask_first(
    session: CommandSession, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    ahead = dry_run(session.settings, newsletter, now=next_second(now))
    if isinstance(ahead, Skipped):
        raise _skipped(ahead, as_json=as_json)
    verb = "Finish" if isinstance(ahead, WouldResume) else "Send"
    readers = counted(ahead.readers, "reader")
    if not confirm(
        f"{verb} No. {ahead.number} of {newsletter.title}, “{ahead.subject}”, to {readers}?"
    ):
        if as_json:
            print_json({"result": "not sent"})
        note("nothing was sent")
        raise typer.Exit(Exit.DONE)


def _send(
    session: CommandSession,
    newsletter: Newsletter,
    outbox: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    with delivery_progress() as progress:
        result = send_edition(
            session.settings,
            newsletter,
            transport_of(session, outbox),
            now=next_second(now),
            clock=lambda: datetime.now(UTC),
            progress=progress,
            stopping=tell_ending,
        )
    report_round(result, as_json=as_json)


class UnknownChoice(StrEnum):
    """What to do with deliveries of which nobody knows whether they arrived."""

    HOLD = "hold"
    RESEND = "resend"
    DROP = "drop"


def resume(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    unknown: Annotated[
        UnknownChoice,
        typer.Option("--unknown", help="Leave them, risk mailing twice, or leave them for good."),
    ] = UnknownChoice.HOLD,
    now: Annotated[
        bool, typer.Option("--now", help="Try the deferred ones without waiting for their hour.")
    ] = False,
    outbox: Outbox = None,
    as_json: AsJson = False,
) -> None:
    """Continue an edition that is not complete. Creates no new one.

    The oldest that was stopped goes on, or else the newest that is not complete: deferred readers
    are tried again, and `--unknown` settles those of whom nobody knows whether they have it.

    Example: `digest resume daily --now`
    """
    session = session_of(context)
    existing_database(session.settings)
    with delivery_progress() as progress:
        report = resume_edition(
            session.settings,
            session.settings.newsletter(newsletter),
            transport_of(session, outbox),
            unknown=UnknownPolicy(unknown),
            before_their_hour=now,
            clock=lambda: datetime.now(UTC),
            progress=progress,
            stopping=tell_ending,
        )
    report_round(report, as_json=as_json)


def stop(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Emergency stop: no further message of any edition is sent.

    Without a newsletter it stops all of them. Whoever is sending, on this machine, notices before
    the next message. `digest resume` goes on.

    Example: `digest stop`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter) if newsletter else None
    existing_database(settings)
    stopped = stop_editions(settings, chosen, now=datetime.now(UTC))
    told = [
        {"newsletter": one.newsletter, "number": one.number, "subject": one.subject}
        for one in stopped
    ]
    if not stopped:
        reason = f"no edition{f' of {chosen.key}' if chosen else ''} is under way"
        if as_json:
            print_json({"result": "skipped", "reason": reason, "editions": []})
        note(f"skipped: {reason}")
        raise typer.Exit(Exit.SKIPPED)
    if as_json:
        print_json({"result": "stopped", "editions": told})
        return
    for one in stopped:
        say(
            f"stopped No. {one.number} of {one.newsletter};"
            f" `digest resume {one.newsletter}` goes on with it"
        )
