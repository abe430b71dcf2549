"""`digest run`: the service, or one pass of it with `--once`."""

import os
import time
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from digest.cli.console import Exit, print_result
from digest.cli.options import AsJson, option
from digest.cli.session import CommandSession, existing_database, session_of
from digest.config.load import load
from digest.errors import UsageError
from digest.scheduler.tick import TickResult, TickSummary
from digest.service.log import Log, secrets_of
from digest.service.service import Service
from digest.service.systemd import Supervisor


def run(
    context: typer.Context,
    *,
    once: Annotated[bool, option("Do what is due now, then exit; for cron.", "--once")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the service: ingest, prepare and deliver on schedule.

    A second service on the same database waits and takes over if the first one dies. SIGTERM stops
    it after the messages being sent; a second SIGTERM stops it at once. SIGHUP reloads digest.toml.

    Example: `digest run --once`
    """
    if as_json and not once:
        raise UsageError(
            "--json needs --once",
            hint='For a log in JSON lines, set `log = "json"` in [service].',
        )
    session = session_of(context)
    existing_database(session.settings)
    service = _service(session)
    if not once:
        if not service.run():
            raise typer.Exit(Exit.INCOMPLETE)
        return
    summary = service.once()
    print_result(
        {"interrupted": summary.interrupted, **summary.results},
        ", ".join(f"{n} {_IN_WORDS.get(result, result)}" for result, n in summary.results.items())
        or "nothing is due",
        as_json=as_json,
    )
    raise typer.Exit(exit_code(summary))


#: How a person reads a result, where that is not its name.
_IN_WORDS: Final = {
    TickResult.SERVED: "delivered",
    TickResult.PUT_OFF: "postponed",
    TickResult.TROUBLED: "ended by an error",
}


def exit_code(summary: TickSummary) -> Exit:
    """The exit code of a pass: what needs attention goes before what succeeded."""
    if summary.interrupted:
        return Exit.INCOMPLETE
    for code, cases in (
        (Exit.ERROR, (TickResult.TROUBLED, TickResult.FAILED)),
        (Exit.INCOMPLETE, (TickResult.INCOMPLETE, TickResult.PUT_OFF)),
        (Exit.HELD, (TickResult.HELD,)),
        (Exit.DONE, (TickResult.PREPARED, TickResult.SERVED, TickResult.DRAFTED)),
    ):
        if any(summary.results[case] for case in cases):
            return code
    return Exit.SKIPPED


def _service(session: CommandSession) -> Service:
    def now() -> datetime:
        return datetime.now(UTC)

    settings = session.settings
    return Service(
        settings,
        load=lambda: load(session.config, os.environ),
        log=Log(settings.service.log, now, secrets=secrets_of(settings)),
        supervisor=Supervisor(os.environ),
        now=now,
        steady=time.monotonic,
    )
