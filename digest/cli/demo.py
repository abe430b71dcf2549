"""`digest demo`: the whole main job on the sample newsletter."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import Exit, note, print_error, print_json, say
from digest.cli.options import AsJson
from digest.cli.progress import delivery_progress
from digest.cli.tables import print_table
from digest.errors import DigestError, UsageError
from digest.publishing.demo import Demo, ReceivedMail
from digest.publishing.demo import demo as run_demo
from digest.publishing.editions.build import Skipped


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where to work; a new folder if left out."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send the sample newsletter through an SMTP server on this machine.

    Nothing leaves this machine, and the sample itself stays as it is: the demo works on a copy.

    Example: `digest demo --dir /tmp/gazette`
    """
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"--dir: {folder} is not an empty folder", hint="Name one that does not exist yet."
        )
    place = folder or Path(tempfile.mkdtemp(prefix="digest-demo-"))
    with delivery_progress() as progress:
        result = run_demo(place, progress=progress)
    if isinstance(result, Skipped):
        note(f"skipped: {result.reason}")
        raise typer.Exit(Exit.SKIPPED)
    if as_json:
        print_json(_as_json(result))
    else:
        _show(result, place)
    _verify(result)


def _show(result: Demo, place: Path) -> None:
    edition = result.report.edition
    say(f"No. {edition.number} “{edition.subject}”\n", style="bold")
    headers = ("Reader", "Language", ">Messages", "Parts", ">Size", "File")
    print_table(headers, (_row(got, place) for got in result.got), fold=("File",))
    sent = sum(got.exactly_one for got in result.got)
    say(f"\n{sent} of {len(result.got)} active readers have exactly one message with both parts.")
    say(
        f"\nLook at it:\n  in a browser   {result.html}\n  in a terminal  {result.text}\n"
        f"  as it arrived  {place / 'outbox'}"
    )
    note(f"\nGo on with this newsletter:\n  cd {place}\n  digest status\n  digest subscribers list")


def _row(got: ReceivedMail, place: Path) -> tuple[str, ...]:
    return (
        got.email,
        got.language,
        str(got.messages),
        " + ".join(part.removeprefix("text/") for part in got.parts) or "none",
        f"{got.bytes / 1024:.0f} KB",
        str(got.file.relative_to(place)) if got.file else "",
    )


def _verify(result: Demo) -> None:
    """Fail loudly if the demo did not do what it promises."""
    wrong = [got.email for got in result.got if not got.exactly_one]
    if wrong or not result.report.complete:
        print_error(
            result.report.error
            or DigestError("not every reader got exactly one message: " + ", ".join(wrong))
        )
        raise typer.Exit(Exit.INCOMPLETE)


def _as_json(result: Demo) -> dict[str, object]:
    return {
        "number": result.report.edition.number,
        "subject": result.report.edition.subject,
        "html": str(result.html),
        "text": str(result.text),
        "readers": [
            {
                "email": got.email,
                "messages": got.messages,
                "parts": list(got.parts),
                "language": got.language,
                "bytes": got.bytes,
                "file": str(got.file) if got.file else None,
            }
            for got in result.got
        ],
    }
