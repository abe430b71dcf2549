"""`digest check`: whether everything works, and what to do where it does not.

`digest audit`: proof that nothing is unaccounted for.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from digest.cli.console import Exit, messages, note, print_json, say
from digest.cli.options import AsJson
from digest.cli.session import session_of
from digest.cli.tables import print_table
from digest.config.load import Loaded, load_with_origins
from digest.errors import ConfigError
from digest.lib.formatting import counted
from digest.publishing.checks.check import check as findings_of
from digest.publishing.checks.findings import Finding, Severity
from digest.publishing.maintenance import AuditReport
from digest.publishing.maintenance import audit as audit_database
from digest.storage.integrity import MOST


def audit(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Verify that every article and every delivery is accounted for.

    Exits with 1 if anything is in a state that cannot be, and names it.

    Example: `digest audit --json`
    """
    result = audit_database(session_of(context).settings)
    extent = result.extent
    if as_json:
        print_json(
            {
                "editions": extent.editions,
                "deliveries": extent.deliveries,
                "decisions": extent.decisions,
                "slots": extent.slots,
                "claimed": extent.claimed,
                "breaches": [{"rule": b.rule, "ids": list(b.ids)} for b in result.breaches],
            }
        )
    else:
        _show_audit(result)
    if extent.claimed:
        claimed = counted(extent.claimed, "delivery is", "deliveries are")
        note(f"{claimed} claimed: by a `send` that runs, or one that died")
    if result.breaches:
        raise typer.Exit(Exit.ERROR)


def _show_audit(result: AuditReport) -> None:
    extent = result.extent
    looked_at = [
        counted(extent.editions, "edition"),
        counted(extent.deliveries, "delivery", "deliveries"),
        counted(extent.decisions, "decision"),
    ]
    if extent.slots:
        looked_at.append(counted(extent.slots, "slot"))
    verdict = "not in order" if result.breaches else "everything is accounted for"
    say(f"{', '.join(looked_at)}: {verdict}")
    for breach in result.breaches:
        say(f"  broken: {breach.rule}")
        for id_ in breach.ids:
            say(f"    {id_}")
        if len(breach.ids) >= MOST:
            say("    … and perhaps more")


_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def check(
    context: typer.Context,
    *,
    as_json: AsJson = False,
) -> None:
    """Check configuration, database, templates, sources, SMTP and DNS.

    Nothing is stored and nothing is mailed. Exits with 0 if there is no problem, 1 if there is one,
    2 if the configuration is broken. Secrets are never shown.

    Example: `digest check --json`
    """
    loaded = _loaded(context, as_json=as_json)
    with messages().status("Checking…") if sys.stderr.isatty() else nullcontext():
        findings = list(findings_of(loaded, now=datetime.now(UTC)))
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        _show_findings(findings)
    if any(finding.verdict is Severity.PROBLEM for finding in findings):
        raise typer.Exit(Exit.ERROR)


def _loaded(context: typer.Context, *, as_json: bool) -> Loaded:
    try:
        return load_with_origins(session_of(context).config, os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        told = [str(problem) for problem in error.problems] or [error.message]
        common = {"area": "configuration", "verdict": "problem", "advice": error.hint}
        print_json({"findings": [common | {"message": message} for message in told]})
        raise typer.Exit(Exit.USAGE) from None


def _show_findings(findings: Sequence[Finding]) -> None:
    rows = []
    for finding in findings:
        advice = f"\n→ {finding.advice}" if finding.advice else ""
        rows.append((finding.verdict.value, finding.area, finding.message + advice))
    print_table(("", "Area", "Found"), rows, fold=("Found",), styles=_COLOURS)
