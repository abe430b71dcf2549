"""`digest check` tries out the configuration; `digest audit` verifies the stored records."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from digest.cli.console import Exit, fields_of, note, print_json, say, working
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


def audit(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Verify that every article and every delivery is accounted for.

    Reads the database only. Exits with 1 if a record breaks a rule, and names the rule and records.

    Example: `digest audit --json`
    """
    result = audit_database(session_of(context).settings)
    extent = result.extent
    if as_json:
        print_json(fields_of(extent) | {"breaches": result.breaches})
    else:
        _show_audit(result)
    if extent.claimed:
        claimed = counted(extent.claimed, "delivery is", "deliveries are")
        note(f"{claimed} claimed by a `digest send` that is running or was killed")
    if result.breaches:
        raise typer.Exit(Exit.ERROR)


def _show_audit(result: AuditReport) -> None:
    extent = result.extent
    checked = [
        counted(extent.editions, "edition"),
        counted(extent.deliveries, "delivery", "deliveries"),
        counted(extent.decisions, "decision"),
    ]
    if extent.slots:
        checked.append(counted(extent.slots, "slot"))
    conclusion = "rules are broken" if result.breaches else "everything is accounted for"
    say(f"{', '.join(checked)}: {conclusion}")
    for breach in result.breaches:
        say(f"  broken: {breach.rule}")
        for id_ in breach.ids:
            say(f"    {id_}")
        if len(breach.ids) >= MOST:
            say("    … perhaps more")


_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def check(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Check configuration, database, templates, sources, SMTP and DNS.

    DNS is checked where digest.toml has [dkim]. Nothing is stored or sent, and no password is
    shown. Exits with 0 if there is no problem, 1 if there is one, 2 if digest.toml is wrong.

    Example: `digest check --json`
    """
    loaded = _loaded(context, as_json=as_json)
    with working("Checking…"):
        findings = list(findings_of(loaded, now=datetime.now(UTC)))
    if as_json:
        print_json({"findings": findings})
    else:
        _show_findings(findings)
    if any(finding.severity is Severity.PROBLEM for finding in findings):
        raise typer.Exit(Exit.ERROR)


def _loaded(context: typer.Context, *, as_json: bool) -> Loaded:
    try:
        return load_with_origins(session_of(context).config, os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        messages = [str(problem) for problem in error.problems] or [error.message]
        common = {"area": "configuration", "severity": "problem", "advice": error.hint}
        print_json({"findings": [common | {"message": message} for message in messages]})
        raise typer.Exit(Exit.USAGE) from None


def _show_findings(findings: Sequence[Finding]) -> None:
    rows = (
        (each.severity, each.area, "\n→ ".join(filter(None, (each.message, each.advice))))
        for each in findings
    )
    print_table(("", "Area", "Found"), rows, fold=("Found",), styles=_COLOURS)
