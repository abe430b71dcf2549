"""`digest send`, `resume` and `stop`: send an edition now, continue one, or stop all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import (
    Exit,
    confirm,
    fields_of,
    note,
    on_a_terminal,
    print_error,
    print_json,
    say,
)
from digest.cli.options import AsJson, At, DryRun, NewsletterArgument, Outbox, Yes
from digest.cli.progress import delivery_progress
from digest.cli.session import CommandSession, existing_database, instant_of, session_of, typed_in
from digest.cli.skipped import exit_skipped, unless_skipped
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.lib.timestamps import next_second
from digest.model.delivery import WAITING_DELIVERIES, Accepted, count_in
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.run import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.preview import dry_run as plan_send
from digest.publishing.preview import preview, send_test
from digest.publishing.send import UnknownPolicy
from digest.publishing.send import resume as resume_edition
from digest.publishing.send import send as send_edition
from digest.publishing.send import stop as stop_editions
from digest.sender.factory import transport_for
from digest.sender.folder import FolderTransport
from digest.sender.transport import Transport
from digest.service.shutdown import Shutdown
from digest.subscribers.address import normalise


def send(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="EMAIL", help="Send a test to this address only; nothing is stored."
        ),
    ] = None,
    outbox: Outbox = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Send an edition now, once to each active reader.

    An edition that was interrupted is completed first, and nobody receives it twice. On a terminal
    it asks for confirmation.

    Example: `digest send daily --yes`
    """
    if to is not None and dry_run:
        raise UsageError(
            "--to and --dry-run cannot be combined: a test message is really sent",
            hint="`digest preview` shows the message without sending it.",
        )
    session = session_of(context)
    chosen = session.settings.newsletter(newsletter)
    now = next_second(instant_of(at, session.settings))
    existing_database(session.settings)
    if to is not None:
        _send_test(session, chosen, to, outbox, now, as_json=as_json)
        return
    if dry_run:
        _report_plan(session, chosen, now, as_json=as_json)
        return
    if on_a_terminal() and not yes:
        _ask_first(session, chosen, now, as_json=as_json)
    with delivery_progress() as progress, _cancelled_by_signals() as cancel:
        result = send_edition(
            session.settings,
            chosen,
            _transport(session, outbox),
            now=now,
            clock=lambda: datetime.now(UTC),
            progress=progress,
            cancel=cancel,
        )
    print_report(unless_skipped(result, as_json=as_json), as_json=as_json)


def resume(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    unknown: Annotated[
        UnknownPolicy,
        typer.Option(
            "--unknown",
            help="Deliveries with unknown result: leave them as they are, send them again (perhaps"
            " twice), or give them up.",
        ),
    ] = UnknownPolicy.HOLD,
    now: Annotated[
        bool, typer.Option("--now", help="Retry deferred deliveries now, before they are due.")
    ] = False,
    outbox: Outbox = None,
    as_json: AsJson = False,
) -> None:
    """Continue an edition that is not complete. Creates no new one.

    It takes the oldest edition that was stopped, or else the newest that is not complete. Deferred
    deliveries are tried again; `--unknown` decides on those whose result is unknown.

    Example: `digest resume daily --now`
    """
    session = session_of(context)
    existing_database(session.settings)
    with delivery_progress() as progress, _cancelled_by_signals() as cancel:
        report = resume_edition(
            session.settings,
            session.settings.newsletter(newsletter),
            _transport(session, outbox),
            unknown=unknown,
            before_their_hour=now,
            clock=lambda: datetime.now(UTC),
            progress=progress,
            cancel=cancel,
        )
    print_report(unless_skipped(report, as_json=as_json), as_json=as_json)


def stop(
    context: typer.Context, newsletter: NewsletterArgument = None, *, as_json: AsJson = False
) -> None:
    """Emergency stop: no further message of any edition is sent.

    With a newsletter, only its editions are stopped. A process of this machine that is sending
    stops before its next message. `digest resume` continues.

    Example: `digest stop`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter) if newsletter else None
    existing_database(settings)
    stopped = stop_editions(settings, chosen, now=datetime.now(UTC))
    editions = [fields_of(edition, "newsletter", "number", "subject") for edition in stopped]
    if not stopped:
        reason = f"no edition{f' of {chosen.key}' if chosen else ''} is being sent"
        exit_skipped(reason, as_json=as_json, editions=editions)
    if as_json:
        print_json({"result": "stopped", "editions": editions})
        return
    for edition in stopped:
        say(
            f"stopped No. {edition.number} of {edition.newsletter};"
            f" `digest resume {edition.newsletter}` continues"
        )


def _send_test(
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
    made = unless_skipped(
        preview(session.settings, newsletter, now=now, test_address=to, signed=True),
        as_json=as_json,
    )
    outcome = send_test(made, to, _transport(session, outbox))
    accepted = isinstance(outcome, Accepted)
    reply = str(outcome.reply) if isinstance(outcome, Accepted) else outcome.reason
    number = made.edition.number
    if as_json:
        word = type(outcome).__name__.lower()
        print_json({"result": word, "test": True, "number": number, "to": to, "reply": reply})
    else:
        result = "accepted" if accepted else "not accepted"
        say(f"test of No. {number} {result} for {to}: {reply}")
    if not accepted:
        raise typer.Exit(Exit.INCOMPLETE)


def _report_plan(
    session: CommandSession, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    ahead = plan_send(session.settings, newsletter, now=now)
    if isinstance(ahead, Skipped):
        exit_skipped(ahead.reason, as_json=as_json)
    result = "would finish" if ahead.begun else "would send"
    if as_json:
        print_json(
            {"result": result, "newsletter": newsletter.key}
            | fields_of(ahead, "number", "subject", "readers")
        )
        return
    say(
        f"{result} No. {ahead.number} of {newsletter.title}, “{ahead.subject}”, to"
        f" {counted(ahead.readers, 'reader')}; nothing was sent or stored"
    )


def _ask_first(
    session: CommandSession, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    ahead = plan_send(session.settings, newsletter, now=now)
    if isinstance(ahead, Skipped):
        exit_skipped(ahead.reason, as_json=as_json)
    verb = "Finish" if ahead.begun else "Send"
    edition = f"No. {ahead.number} of {newsletter.title}, “{ahead.subject}”"
    if not confirm(f"{verb} {edition}, to {counted(ahead.readers, 'reader')}?"):
        if as_json:
            print_json({"result": "not sent"})
        note("nothing was sent")
        raise typer.Exit(Exit.DONE)


def _transport(session: CommandSession, outbox: Path | None) -> Transport:
    """What carries the messages: the configured SMTP servers, or a folder."""
    if outbox is None:
        return transport_for(session.settings)
    if outbox.exists() and not outbox.is_dir():
        raise UsageError(
            f"--outbox: {outbox} is a file, expected a folder",
            hint="Name a folder, or a name that does not exist yet.",
        )
    return FolderTransport(outbox)


@contextmanager
def _cancelled_by_signals() -> Iterator[CancelToken]:
    """A token that the first signal cancels; the second one ends the run at once."""
    shutdown = Shutdown()
    with shutdown.on_signals():
        yield shutdown.cancels(CancelToken(on_shutdown=_report_stopping))


def _report_stopping() -> None:
    note("stopping after the messages being sent now; Ctrl-C again stops at once")


def print_report(report: Report, *, as_json: bool) -> None:
    """Print the state of an edition after a run; exits with the code for it."""
    counts = {state.value: n for state, n in report.counts.items() if n}
    if as_json:
        print_json(
            {
                "result": "complete" if report.complete else "incomplete",
                **fields_of(report.edition, "newsletter", "number", "slot", "subject"),
                "deliveries": counts,
                **fields_of(report, "later", "interrupted", "error"),
            }
        )
    else:
        listed = ", ".join(f"{n:,} {state}" for state, n in counts.items())
        say(f"No. {report.edition.number} “{report.edition.subject}”: {listed}")
    if report.error is not None:
        print_error(report.error)
    if report.interrupted:
        note("interrupted: the messages being sent were completed")
    if report.complete:
        return
    if report.later:
        note(f"not yet due at the reader's local time: {counted(report.later, 'reader')}")
    if report.edition.stopped:
        note("the edition is stopped; `digest resume` continues, and nobody receives it twice")
    elif count_in(report.counts, WAITING_DELIVERIES):
        note("`digest send` continues; nobody receives the edition twice")
    note("`digest status` lists every reader for whom delivery is not confirmed")
    raise typer.Exit(Exit.INCOMPLETE)
