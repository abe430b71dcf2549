"""`digest preview`: the edition that would be sent now."""

import sys
from email import message_from_bytes
from email.policy import default
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from digest.cli.console import clean, fields_of, note, print_json, say
from digest.cli.files import by_ending, writable
from digest.cli.options import AsJson, At, NewsletterArgument, option
from digest.cli.session import chosen, typed_address
from digest.cli.skipped import unless_skipped
from digest.lib.formatting import counted
from digest.publishing.preview import Preview
from digest.publishing.preview import preview as make_preview


class PreviewFormat(StrEnum):
    """How a preview is shown."""

    TERMINAL = "terminal"
    HTML = "html"
    TEXT = "text"
    EML = "eml"


#: The format of a file, by its ending.
_ENDINGS: Final = {
    ".html": PreviewFormat.HTML,
    ".htm": PreviewFormat.HTML,
    ".txt": PreviewFormat.TEXT,
    ".eml": PreviewFormat.EML,
}

#: The headers that a terminal shows.
_SHOWN = ("From", "Reply-To", "To", "Subject", "Date", "List-Id", "List-Unsubscribe")


def preview(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    reader: Annotated[
        str | None, option("As this subscriber would receive it.", "--for", metavar="EMAIL")
    ] = None,
    format: Annotated[  # noqa: A002  the option's name
        PreviewFormat | None,
        option("The format (default: by the ending of --out, or terminal).", "--format", "-f"),
    ] = None,
    out: Annotated[
        Path | None, option("Write it to this file, replacing an existing one.", "--out", "-o")
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the edition that would be sent now. Stores nothing.

    It is made by the code that `digest send` uses, so it is what readers would receive.

    Example: `digest preview --for ada@example.com --out digest.html`
    """
    shown_as = _format_of(format, out)
    settings, named, now = chosen(context, newsletter, at)
    address = typed_address(reader) if reader is not None else None
    signed = shown_as is PreviewFormat.EML
    made = unless_skipped(
        make_preview(settings, named, now=now, reader=address, signed=signed), as_json=as_json
    )
    if made.begun:
        note(
            f"No. {made.edition.number} was started and is not complete; `digest send` completes it"
        )
    _report_cuts(made)
    if out is not None:
        out.write_bytes(_content(made, shown_as))
        note(f"wrote {out} ({shown_as}, {out.stat().st_size:,} bytes)")
    if as_json:
        print_json(_preview_json(made, out))
    elif out is None and shown_as is PreviewFormat.TERMINAL:
        _show(made)
    elif out is None:
        _print(_content(made, shown_as))


def _format_of(format_: PreviewFormat | None, out: Path | None) -> PreviewFormat:
    if out is None:
        return format_ or PreviewFormat.TERMINAL
    writable(out)
    advice = "Use the ending .html, .txt or .eml, or give --format html, text or eml."
    return format_ or by_ending(out, _ENDINGS, advice=advice)


def _print(content: bytes) -> None:
    if sys.stdout.isatty():
        say(clean(content.decode(errors="replace")).rstrip("\n"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def _preview_json(made: Preview, out: Path | None) -> dict[str, Any]:
    return {
        **fields_of(made.edition, "newsletter", "number", "slot", "subject"),
        "begun": made.begun,
        "stories": len(made.edition.stories),
        "readers": made.readers,
        "to": made.recipient.email,
        "bytes": len(made.message),
        "left_out": fields_of(made.variant.cut, "decks", "stories", "images"),
        "out": out,
    }


def _report_cuts(made: Preview) -> None:
    cut = made.variant.cut
    if cut.decks or cut.stories:
        note(
            "the message would be too long (mail programs cut long ones):"
            f" {counted(cut.decks, 'deck')} and {counted(cut.stories, 'story', 'stories')}"
            " were left out"
        )
    for image in cut.images:
        note(
            f"the image {image} was left out: it is missing in the newsletter's folder, or no image"
        )


def _content(made: Preview, format_: PreviewFormat) -> bytes:
    match format_:
        case PreviewFormat.HTML:
            return made.page.encode()
        case PreviewFormat.EML:
            return made.message
        case PreviewFormat.TEXT | PreviewFormat.TERMINAL:
            return _text(made).encode()


def _text(made: Preview) -> str:
    part = message_from_bytes(made.message, policy=default).get_body(("plain",))
    return str(part.get_content()) if part else ""


def _show(made: Preview) -> None:
    headers = message_from_bytes(made.message, policy=default)
    for name in filter(headers.get, _SHOWN):
        say(f"{name}: {headers[name]}")
    say(f"\n{_text(made)}")
    stories = counted(len(made.edition.stories), "story", "stories")
    note(
        f"No. {made.edition.number}, {stories}, {counted(made.readers, 'reader')}."
        " Nothing was sent or stored.",
        style="dim",
    )
