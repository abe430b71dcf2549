"""`digest backup` and `digest restored`: a copy of the database, and going on from one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import Exit, confirm, note, on_a_terminal, print_json, say
from digest.cli.options import AsJson
from digest.cli.session import existing_database, instant_of, session_of
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.lib.timestamps import to_text
from digest.publishing.backup import accept_restored, create_backup


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy the database to a new file while digest keeps running.

    The copy is whole and looked through. It holds every reader's address: keep it as safe as the
    database. `digest restored` goes on from one that was put back.

    Example: `digest backup /var/backups/digest-2026-03-12.db`
    """
    settings = session_of(context).settings
    made = create_backup(settings, file, now=datetime.now(UTC))
    if as_json:
        print_json({"file": str(made.file), "octets": made.size})
        return
    say(f"{made.file}: {made.size / 1_000_000:,.1f} MB, whole")


def restored(
    context: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Of when it is, where another program restored it."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Continue from a backup that was put in place of the database.

    It has forgotten what was sent after it was made. Readers who waited in it may have been served
    since: they become unknown, and nobody is mailed twice unless you say so. Slots that came
    meanwhile are not made up for.

    Example: `digest restored --yes`
    """
    settings = session_of(context).settings
    existing_database(settings)
    if on_a_terminal() and not yes and not confirm("Is this database the one to go on with?"):
        note("nothing was changed")
        raise typer.Exit(Exit.DONE)
    now = datetime.now(UTC)
    made_at = instant_of(since, settings, option="--since") if since else None
    if made_at is not None and made_at > now:
        raise UsageError(f"--since: found {since!r}, expected a time that has been")
    taken = accept_restored(settings, now=now, since=made_at)
    if as_json:
        print_json({"made_at": to_text(taken.made_at), "in_doubt": taken.in_doubt})
        return
    say(f"going on from the backup of {taken.made_at:%Y-%m-%d %H:%M} UTC")
    if taken.in_doubt:
        are = counted(taken.in_doubt, "delivery is", "deliveries are")
        note(
            f"{are} unknown now; `digest resume --unknown drop` leaves it at"
            " that, `--unknown resend` mails them at the risk of twice"
        )
    note("`digest preview` shows what the next edition would be; drop what readers have had")
