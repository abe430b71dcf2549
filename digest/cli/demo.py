"""`digest demo`: send the sample newsletter from end to end."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import Exit, fields_of, note, print_error, print_json, say
from digest.cli.options import AsJson, option
from digest.cli.progress import cancelled_by_signals, delivery_progress
from digest.cli.skipped import unless_skipped
from digest.cli.tables import print_table
from digest.errors import DigestError, UsageError
from digest.publishing.demo import Demo, ReceivedMail
from digest.publishing.demo import demo as run_demo


def demo(
    folder: Annotated[
        Path | None, option("The folder to work in (default: a new one).", "--dir", metavar="DIR")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send the sample newsletter through an SMTP server on this machine.

    A real SMTP server is started for it; nothing leaves this machine. The demo works on a copy of
    the sample, which stays unchanged.

    Example: `digest demo --dir /tmp/gazette`
    """
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"--dir: {folder} is not an empty folder", hint="Name a folder that does not exist yet."
        )
    place = folder or Path(tempfile.mkdtemp(prefix="digest-demo-"))
    with delivery_progress() as progress, cancelled_by_signals() as cancel:
        result = run_demo(place, progress=progress, cancel=cancel)
    result = unless_skipped(result, as_json=as_json)
    if as_json:
        edition = fields_of(result.report.edition, "number", "subject")
        print_json(edition | fields_of(result, "html", "text") | {"readers": result.received})
    else:
        _show(result, place)
    _verify(result)


def _show(result: Demo, place: Path) -> None:
    edition = result.report.edition
    say(f"No. {edition.number} “{edition.subject}”\n", style="bold")
    headers = ("Reader", "Language", ">Messages", "Parts", ">Size", "File")
    print_table(headers, (_row(mail, place) for mail in result.received), fold=("File",))
    sent = sum(mail.exactly_one for mail in result.received)
    say(
        f"\n{sent} of {len(result.received)} active readers have exactly one message with both"
        " parts."
    )
    say(
        f"\nLook at it:\n  in a browser   {result.html}\n  in a terminal  {result.text}\n"
        f"  as it arrived  {place / 'outbox'}"
    )
    note(f"\nContinue with it:\n  cd {place}\n  digest status\n  digest subscribers list")


def _row(mail: ReceivedMail, place: Path) -> tuple[str, ...]:
    return (
        mail.email,
        mail.language,
        str(mail.messages),
        " + ".join(part.removeprefix("text/") for part in mail.parts) or "none",
        f"{mail.bytes / 1024:.0f} KB",
        str(mail.file.relative_to(place)) if mail.file else "",
    )


def _verify(result: Demo) -> None:
    """Fail loudly if the demo did not do what it promises."""
    wrong = [mail.email for mail in result.received if not mail.exactly_one]
    if wrong or not result.report.complete:
        print_error(
            result.report.error
            or DigestError("not every reader got exactly one message: " + ", ".join(wrong))
        )
        raise typer.Exit(Exit.INCOMPLETE)
