"""`digest send`, `resume` and `stop`: send an edition now, continue one, or stop all."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
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
    print_result,
)
from digest.cli.options import (
    AnyNewsletterArgument,
    AsJson,
    At,
    DryRun,
    NewsletterArgument,
    Outbox,
    Yes,
    option,
)
from digest.cli.progress import cancelled_by_signals, delivery_progress
from digest.cli.session import chosen, existing_database, session_of, typed_address
from digest.cli.skipped import exit_skipped, unless_skipped
from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.model.delivery import WAITING_DELIVERIES, Accepted, count_in
from digest.model.newsletter import Newsletter
from digest.publishing.delivery.run import Report
from digest.publishing.editions.build import Skipped
from digest.publishing.preview import DryRun as DryRunResult
from digest.publishing.preview import dry_run as plan_send
from digest.publishing.preview import preview, send_test
from digest.publishing.send import UnknownPolicy
from digest.publishing.send import resume as resume_edition
from digest.publishing.send import send as send_edition
from digest.publishing.send import stop as stop_editions
from digest.sender.factory import transport_for
from digest.sender.folder import FolderTransport
from digest.sender.transport import Transport


def send(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    to: Annotated[
        str | None, option("Send a test to this address only; nothing is stored.", metavar="EMAIL")
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
    settings, named, now = chosen(context, newsletter, at)
    existing_database(settings)
    if to is not None:
        _send_test(settings, named, to, outbox, now, as_json=as_json)
        return
    if dry_run:
        _report_plan(settings, named, now, as_json=as_json)
        return
    if on_a_terminal() and not yes:
        _ask_first(settings, named, now, as_json=as_json)
    _deliver(
        partial(send_edition, settings, named, _transport(settings, outbox), now=now),
        as_json=as_json,
    )


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
        bool, option("Retry deferred deliveries now, before they are due.", "--now")
    ] = False,
    outbox: Outbox = None,
    as_json: AsJson = False,
) -> None:
    """Continue an edition that is not complete. Creates no new one.

    It takes the oldest edition that was stopped, or else the newest that is not complete. Deferred
    deliveries are tried again when they are due. `--unknown resend` and `--unknown drop` take the
    newest edition that has deliveries with unknown result.

    Example: `digest resume daily --now`
    """
    settings = session_of(context).settings
    existing_database(settings)
    continuing = partial(
        resume_edition,
        settings,
        settings.newsletter(newsletter),
        _transport(settings, outbox),
        unknown=unknown,
        before_their_hour=now,
    )
    _deliver(continuing, as_json=as_json)


def _deliver(deliver: Callable[..., Report | Skipped], *, as_json: bool) -> None:
    """Deliver with a progress bar and until a signal; exits with the code for the report."""
    with delivery_progress() as progress, cancelled_by_signals() as cancel:
        result = deliver(clock=lambda: datetime.now(UTC), progress=progress, cancel=cancel)
    print_report(unless_skipped(result, as_json=as_json), as_json=as_json)


def stop(
    context: typer.Context, newsletter: AnyNewsletterArgument = None, *, as_json: AsJson = False
) -> None:
    """Emergency stop: no further message of any edition is sent.

    With a newsletter, only its editions are stopped. A process of this machine that is sending
    stops before its next message. `digest resume` continues.

    Example: `digest stop`
    """
    settings = session_of(context).settings
    named = settings.newsletter(newsletter) if newsletter else None
    existing_database(settings)
    stopped = stop_editions(settings, named, now=datetime.now(UTC))
    editions = [fields_of(edition, "newsletter", "number", "subject") for edition in stopped]
    if not stopped:
        reason = f"no edition{f' of {named.key}' if named else ''} is being sent"
        exit_skipped(reason, as_json=as_json, editions=editions)
    lines = (
        f"stopped No. {edition.number} of {edition.newsletter};"
        f" `digest resume {edition.newsletter}` continues"
        for edition in stopped
    )
    print_result({"result": "stopped", "editions": editions}, "\n".join(lines), as_json=as_json)


def _send_test(
    settings: Settings,
    newsletter: Newsletter,
    to: str,
    outbox: Path | None,
    now: datetime,
    *,
    as_json: bool,
) -> None:
    address = typed_address(to)
    made = unless_skipped(
        preview(settings, newsletter, now=now, test_address=address, signed=True), as_json=as_json
    )
    outcome = send_test(made, address, _transport(settings, outbox))
    accepted = isinstance(outcome, Accepted)
    reply = str(outcome.reply) if isinstance(outcome, Accepted) else outcome.reason
    result = type(outcome).__name__.lower()
    number = made.edition.number
    print_result(
        {"result": result, "test": True, "number": number, "to": address, "reply": reply},
        f"test of No. {number} {'' if accepted else 'not '}accepted for {address}: {reply}",
        as_json=as_json,
    )
    if not accepted:
        raise typer.Exit(Exit.INCOMPLETE)


def _report_plan(
    settings: Settings, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    ahead = _ahead(settings, newsletter, now, as_json=as_json)
    result = "would finish" if ahead.begun else "would send"
    print_result(
        {"result": result, "newsletter": newsletter.key}
        | fields_of(ahead, "number", "subject", "readers"),
        f"{result} {_in_words(ahead, newsletter)}; nothing was sent or stored",
        as_json=as_json,
    )


def _ahead(
    settings: Settings, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> DryRunResult:
    ahead = plan_send(settings, newsletter, now=now)
    if isinstance(ahead, Skipped):
        exit_skipped(ahead.reason, as_json=as_json)
    return ahead


def _in_words(ahead: DryRunResult, newsletter: Newsletter) -> str:
    readers = counted(ahead.readers, "reader")
    return f"No. {ahead.number} of {newsletter.title}, “{ahead.subject}”, to {readers}"


def _ask_first(settings: Settings, newsletter: Newsletter, now: datetime, *, as_json: bool) -> None:
    ahead = _ahead(settings, newsletter, now, as_json=as_json)
    verb = "Finish" if ahead.begun else "Send"
    if not confirm(f"{verb} {_in_words(ahead, newsletter)}?"):
        if as_json:
            print_json({"result": "not sent"})
        note("nothing was sent")
        raise typer.Exit(Exit.DONE)


def _transport(settings: Settings, outbox: Path | None) -> Transport:
    """What carries the messages: the configured SMTP servers, or a folder."""
    if outbox is None:
        return transport_for(settings)
    if outbox.exists() and not outbox.is_dir():
        raise UsageError(
            f"--outbox: {outbox} is a file, expected a folder",
            hint="Name a folder, or a name that does not exist yet.",
        )
    return FolderTransport(outbox)


def print_report(report: Report, *, as_json: bool) -> None:
    """Print the state of an edition after a run; exits with the code for it."""
    counts = {state.value: n for state, n in report.counts.items() if n}
    listed = ", ".join(f"{n:,} {state}" for state, n in counts.items())
    print_result(
        {
            "result": "complete" if report.complete else "incomplete",
            **fields_of(report.edition, "newsletter", "number", "slot", "subject"),
            "deliveries": counts,
            **fields_of(report, "later", "interrupted", "error"),
        },
        f"No. {report.edition.number} “{report.edition.subject}”: {listed}",
        as_json=as_json,
    )
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
