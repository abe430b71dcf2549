"""`digest init`: start a newsletter in a folder."""

import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.output import results
from digest.errors import ConfigError, DigestError, UsageError

if TYPE_CHECKING:
    from digest.config.starter import Beginning

_FILE = "digest.toml"

#: The option behind each key that `init` writes.
_OPTIONS = {
    "site.name": "--name",
    "site.url": "--url",
    "newsletters.daily.from": "--from",
    "site.language": "--language",
    "site.timezone": "--timezone",
    "site.postal_address": "--postal-address",
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")],
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="The name of the paper, blog or house.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="Its public address.")] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="SENDER", help="`Name <address>`, or only the address."),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of dates and words.")] = "en",
    timezone: Annotated[str, typer.Option("--timezone", help="Such as Europe/Paris.")] = "UTC",
    postal_address: Annotated[
        str | None,
        typer.Option("--postal-address", help="For the footer; `send` wants it, the rest do not."),
    ] = None,
) -> None:
    """Start a newsletter in a folder, with a commented digest.toml.

    What is missing is asked for on a terminal. A folder that has a digest.toml is left alone.

    Example: `digest init town --name "Town News" --url https://www.example.com --from
    "Town News <news@example.com>"`
    """
    from digest.config.starter import Beginning

    _refuse_existing(folder)
    if _on_a_terminal():
        name = name or typer.prompt("Name of the paper, blog or house", err=True)
        url = url or typer.prompt("Its public address", err=True)
        sender = sender or typer.prompt("Sender, as Name <address>", err=True)
        if postal_address is None:
            postal_address = typer.prompt(
                "Postal address for the footer (may wait)", default="", show_default=False, err=True
            )
    if not (name and url and sender):
        given = {"--name": name, "--url": url, "--from": sender}
        missing = [option for option, value in given.items() if not value]
        raise UsageError(
            f"init needs {', '.join(missing)}",
            hint="Give them, or run `digest init` on a terminal: it asks.",
        )
    beginning = Beginning(
        name=name,
        url=url,
        sender=sender,
        language=language,
        timezone=timezone,
        postal_address=postal_address or "",
    )
    _write(folder, _checked_text(beginning, folder))
    _say_what_next(folder)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _refuse_existing(folder: Path) -> None:
    # lexists: a link that leads nowhere is somebody's, too.
    if os.path.lexists(folder / _FILE):
        raise UsageError(
            f"{folder / _FILE} is there already, and nothing was changed",
            hint=f"Edit it, or start another newsletter in another folder than {folder}.",
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="Name a folder to start in.")


def _checked_text(beginning: "Beginning", folder: Path) -> str:
    """The text of digest.toml, which loads without a problem. Raises ConfigError."""
    from digest.config.load import load_text
    from digest.config.starter import starter

    try:
        text = starter(beginning)
        load_text(text, (folder / _FILE).absolute(), {})
    except ValueError:
        raise UsageError("an option holds octets that are no text", hint="Use UTF-8.") from None
    except ConfigError as error:
        raise ConfigError(
            "the newsletter cannot start like this, and nothing was written",
            problems=[
                replace(problem, path=_OPTIONS.get(problem.path, problem.path))
                for problem in error.problems
                # Its title is its name, and would be a problem twice.
                if problem.path != "newsletters.daily.title"
            ],
        ) from None
    return text


def _write(folder: Path, text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # "x": of two that start at once, one is told so.
        with (folder / _FILE).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        _refuse_existing(folder)
        raise
    except OSError as error:
        raise DigestError(
            f"{folder} cannot be written: {error.strerror}",
            hint="Name a folder that you may write to.",
        ) from None
    database = folder / "subscribers.db"
    if not database.exists():
        from digest.storage.connection import open_database

        with open_database(database):
            pass


def _say_what_next(folder: Path) -> None:
    out = results()
    out.print(f"Started a newsletter in {folder}. Next:\n", markup=False)
    steps = {
        f"cd {shlex.quote(str(folder))}": "",
        "digest ingest FEED-OR-FILE": "bring in articles",
        "digest subscribers add you@example.com": "be its first reader",
        "digest preview": "see what would go out",
    }
    width = max(map(len, steps))
    for command, purpose in steps.items():
        told = f"    {command:{width}}  # {purpose}" if purpose else f"    {command}"
        out.print(told, markup=False)
