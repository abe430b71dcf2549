"""`digest backup` copies the database; `digest restored` continues from such a copy."""

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
    print_json,
    print_result,
    say,
)
from digest.cli.options import AsJson, Yes, argument, option
from digest.cli.session import existing_database, instant_of, session_of
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.publishing.backup import accept_restored, create_backup


def backup(
    context: typer.Context,
    file: Annotated[Path, argument("The file to create.", metavar="FILE")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the database to a new file while digest keeps running.

    The copy is complete and checked. It contains every subscriber's address: protect it like the
    database. After you put a copy in place of the database, run `digest restored`.

    Example: `digest backup /var/backups/digest-2026-03-12.db`
    """
    size = create_backup(session_of(context).settings, file, now=datetime.now(UTC))
    print_result(
        {"file": file, "octets": size},
        f"{file}: {size / 1_000_000:,.1f} MB, complete",
        as_json=as_json,
    )


def restored(
    context: typer.Context,
    *,
    since: Annotated[
        str | None, option("Time of the restored copy, if another program made it.", metavar="TIME")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Continue from a backup that was put in place of the database.

    The backup does not know what was sent after it was made. Deliveries that were open in it may
    have been sent since: they become unknown, and are not sent again unless you say so. Slots that
    passed since then are not made up for.

    Example: `digest restored --yes`
    """
    settings = session_of(context).settings
    existing_database(settings)
    if on_a_terminal() and not yes and not confirm("Continue from this database?"):
        note("nothing was changed")
        raise typer.Exit(Exit.DONE)
    now = datetime.now(UTC)
    made_at = instant_of(since, settings, option="--since") if since else None
    if made_at is not None and made_at > now:
        raise UsageError(f"--since: found {since!r}, expected a time in the past")
    accepted = accept_restored(settings, now=now, since=made_at)
    if as_json:
        print_json(fields_of(accepted, "made_at", "in_doubt"))
        return
    say(f"continuing from the backup of {accepted.made_at:%Y-%m-%d %H:%M} UTC")
    if accepted.in_doubt:
        are = counted(accepted.in_doubt, "delivery is", "deliveries are")
        note(
            f"{are} unknown now: `digest resume --unknown drop` gives them up,"
            " `digest resume --unknown resend` sends them again, perhaps for the second time"
        )
    note("check `digest preview`, and drop articles that readers have received already")
