"""`digest check`: whether everything works, and what to do where it does not."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from digest.cli.console import Exit, messages, print_json
from digest.cli.options import AsJson
from digest.cli.session import session_of
from digest.cli.tables import print_table
from digest.errors import ConfigError

if TYPE_CHECKING:
    from digest.config.load import Loaded
    from digest.publishing.checks.findings import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def check(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Check configuration, database, templates, sources, the SMTP server and, with [dkim], DNS.

    Nothing is stored and nothing is mailed. Exits with 0 if there is no problem, 1 if there is one,
    2 if the configuration is broken. Secrets are never shown.

    Example: `digest check --json`
    """
    from digest.publishing.checks.check import check as use_case
    from digest.publishing.checks.findings import Verdict

    loaded = _loaded(context, as_json=as_json)
    with messages().status("Checking…") if sys.stderr.isatty() else nullcontext():
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
    rows = []
    for finding in findings:
        advice = f"\n→ {finding.advice}" if finding.advice else ""
        rows.append((finding.verdict.value, finding.area, finding.message + advice))
    print_table(("", "Area", "Found"), rows, fold=("Found",), styles=_COLOURS)
