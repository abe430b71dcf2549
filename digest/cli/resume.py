"""`digest resume` and `digest stop`: go on with an edition, or let nothing more of it leave."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.output import Exit, note
from digest.cli.rounds import report_round
from digest.cli.send import transport_of
from digest.cli.session import session_of


class Unknown(StrEnum):
    """What to do with deliveries of which nobody knows whether they arrived."""

    HOLD = "hold"
    RESEND = "resend"
    DROP = "drop"


def resume(
    context: typer.Context,
    newsletter: Annotated[str | None, typer.Argument(help="Its key in digest.toml.")] = None,
    *,
    unknown: Annotated[
        Unknown,
        typer.Option("--unknown", help="Leave them, risk mailing twice, or leave them for good."),
    ] = Unknown.HOLD,
    now: Annotated[
        bool, typer.Option("--now", help="Try the deferred ones without waiting for their hour.")
    ] = False,
    outbox: Annotated[
        Path | None,
        typer.Option(
            "--outbox", metavar="DIR", help="Write .eml files here instead of using SMTP."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Go on with the newest edition that is not complete. Makes no new one.

    A stopped edition goes on, deferred readers are tried again, and `--unknown` settles those of
    whom nobody knows whether they have it.

    Example: `digest resume daily --now`
    """
    from digest.cli.progress import delivery_progress
    from digest.publishing.resume import OfUnknown
    from digest.publishing.resume import resume as use_case

    session = session_of(context)
    with delivery_progress() as progress:
        report = use_case(
            session.settings,
            session.settings.newsletter(newsletter),
            transport_of(session, outbox),
            unknown=OfUnknown(unknown),
            before_their_hour=now,
            clock=lambda: datetime.now(UTC),
            progress=progress,
        )
    report_round(report, as_json=as_json)


def stop(
    context: typer.Context,
    newsletter: Annotated[str | None, typer.Argument(help="Its key in digest.toml.")] = None,
) -> None:
    """Emergency stop: no further message of the edition under way leaves.

    Whoever is sending it, on this machine, notices before the next message.

    Example: `digest stop daily`
    """
    from digest.publishing.stop import stop as use_case

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    edition = use_case(settings, chosen, now=datetime.now(UTC))
    if edition is None:
        note(f"skipped: no edition of {chosen.key} is under way")
        raise typer.Exit(Exit.SKIPPED)
    note(f"stopped No. {edition.number} of {chosen.key}; `digest resume` goes on with it")
