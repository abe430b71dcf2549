"""`digest resume` and `digest stop`: go on with an edition, or let nothing more of it leave."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from digest.cli.console import Exit, note, print_json, say
from digest.cli.options import AsJson, NewsletterArgument, Outbox
from digest.cli.rounds import report_round, tell_ending
from digest.cli.send import transport_of
from digest.cli.session import existing_database, session_of


class Unknown(StrEnum):
    """What to do with deliveries of which nobody knows whether they arrived."""

    HOLD = "hold"
    RESEND = "resend"
    DROP = "drop"


def resume(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    unknown: Annotated[
        Unknown,
        typer.Option("--unknown", help="Leave them, risk mailing twice, or leave them for good."),
    ] = Unknown.HOLD,
    now: Annotated[
        bool, typer.Option("--now", help="Try the deferred ones without waiting for their hour.")
    ] = False,
    outbox: Outbox = None,
    as_json: AsJson = False,
) -> None:
    """Go on with an edition that is not complete. Makes no new one.

    The oldest that was stopped goes on, or else the newest that is not complete: deferred readers
    are tried again, and `--unknown` settles those of whom nobody knows whether they have it.

    Example: `digest resume daily --now`
    """
    from digest.cli.progress import delivery_progress
    from digest.publishing.send import OfUnknown
    from digest.publishing.send import resume as use_case

    session = session_of(context)
    existing_database(session.settings)
    with delivery_progress() as progress:
        report = use_case(
            session.settings,
            session.settings.newsletter(newsletter),
            transport_of(session, outbox),
            unknown=OfUnknown(unknown),
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
    """Emergency stop: no further message of any edition under way leaves.

    Without a newsletter it stops all of them. Whoever is sending, on this machine, notices before
    the next message. `digest resume` goes on.

    Example: `digest stop`
    """
    from digest.publishing.send import stop as use_case

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter) if newsletter else None
    existing_database(settings)
    stopped = use_case(settings, chosen, now=datetime.now(UTC))
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
