"""`digest check`: whether everything works, and what to do where it does not."""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.output import Exit, messages, plain_table, print_json, print_table
from digest.cli.session import session_of
from digest.errors import ConfigError

if TYPE_CHECKING:
    from digest.config.load import Loaded
    from digest.publishing.finding import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def check(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Check configuration, database, templates, sources and the SMTP server.

    Nothing is stored and nothing is mailed. Exits with 0 if there is no problem, 1 if there is one,
    2 if the configuration is broken. Secrets are never shown.

    Example: `digest check --json`
    """
    from digest.publishing.check import check as use_case
    from digest.publishing.finding import Verdict

    loaded = _loaded(context, as_json=as_json)
    console = messages()
    with console.status("Checking…") if console.is_terminal else nullcontext():
        findings = list(use_case(loaded, now=datetime.now(UTC)))
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise typer.Exit(Exit.ERROR)


def _loaded(context: typer.Context, *, as_json: bool) -> "Loaded":
    from digest.config.load import load_with_origins

    try:
        return load_with_origins(session_of(context).config, os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        told = [str(problem) for problem in error.problems] or [error.message]
        common = {"area": "configuration", "verdict": "problem", "advice": error.hint}
        print_json({"findings": [common | {"message": message} for message in told]})
        raise typer.Exit(Exit.USAGE) from None


def _show(findings: Sequence["Finding"]) -> None:
    from rich.text import Text

    table = plain_table("", "Area", "Found")
    for finding in findings:
        colour = _COLOURS[finding.verdict.value]
        found = Text(finding.message)
        if finding.advice:
            found.append(f"\n→ {finding.advice}", style="cyan")
        table.add_row(Text(finding.verdict.value, style=colour), Text(finding.area), found)
    print_table(table)
