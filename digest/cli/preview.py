"""`digest preview`: what would go out now."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.output import Exit, messages, note, results
from digest.cli.session import instant_of, session_of
from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.publishing.preview import Preview


class Format(StrEnum):
    """What a preview is shown as."""

    TERMINAL = "terminal"
    HTML = "html"
    TEXT = "text"
    EML = "eml"


#: The headers that say what a reader sees in the inbox, and what makes the mail correct.
_SHOWN = ("From", "Reply-To", "To", "Subject", "Date", "List-Id", "List-Unsubscribe")


def preview(
    context: typer.Context,
    newsletter: Annotated[str | None, typer.Argument(help="Its key in digest.toml.")] = None,
    *,
    reader: Annotated[
        str | None, typer.Option("--for", metavar="EMAIL", help="As this reader would get it.")
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        Format, typer.Option("--format", "-f", help="How to show it.")
    ] = Format.TERMINAL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write it to this file instead.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="As if it were this time, such as 2026-03-12T07:00."
        ),
    ] = None,
) -> None:
    """Show the edition that would go out now. Writes nothing to the database.

    The same code makes it as sends it, so it is what readers would get.

    Example: `digest preview --format html --out digest.html`
    """
    from digest.model.instant import next_second
    from digest.publishing.preview import preview as use_case
    from digest.publishing.send import too_few
    from digest.selection import TooFew

    session = session_of(context)
    chosen = session.settings.newsletter(newsletter)
    now = next_second(instant_of(at, session.settings))
    made = use_case(session.settings, chosen, now=now, reader=reader)
    if isinstance(made, TooFew):
        note(f"no edition: {too_few(made)}")
        raise typer.Exit(Exit.SKIPPED)
    if made is None:
        note(f"no edition for {reader}: nothing in it for this reader's topics")
        raise typer.Exit(Exit.SKIPPED)
    _tell_what_was_cut(made)
    if out is not None:
        _write(made, format, out)
    elif format is Format.TERMINAL:
        _show(made)
    else:
        sys.stdout.buffer.write(_content(made, format))


def _tell_what_was_cut(made: "Preview") -> None:
    cut = made.variant.cut
    if cut.decks or cut.stories:
        note(
            "too long for a mail that clients show whole:"
            f" {cut.decks} decks and {cut.stories} stories are left out of it"
        )
    for image in cut.images:
        note(f"the image {image} is left out: it is not in the newsletter's folder, or no image")


def _content(made: "Preview", format_: Format) -> bytes:
    match format_:
        case Format.HTML:
            return made.page.encode()
        case Format.EML:
            return made.message
        case Format.TEXT | Format.TERMINAL:
            return _text(made).encode()


def _text(made: "Preview") -> str:
    from email import message_from_bytes
    from email.policy import default

    part = message_from_bytes(made.message, policy=default).get_body(("plain",))
    return str(part.get_content()) if part else ""


def _write(made: "Preview", format_: Format, out: Path) -> None:
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder, expected the name of a file")
    out.write_bytes(_content(made, format_))
    note(f"wrote {out} ({format_}, {out.stat().st_size:,} bytes)")


def _show(made: "Preview") -> None:
    from email import message_from_bytes
    from email.policy import default

    from rich.text import Text

    console = results()
    headers = message_from_bytes(made.message, policy=default)
    for name in _SHOWN:
        if headers[name]:
            console.print(Text.assemble((f"{name}: ", "dim"), str(headers[name])))
    console.print()
    console.print(Text(_text(made)))
    stories = len(made.edition.stories)
    messages().print(
        Text(
            f"No. {made.edition.number}, {stories} {'story' if stories == 1 else 'stories'},"
            f" {made.draft.readers} readers. Nothing was sent or stored.",
            style="dim",
        )
    )
