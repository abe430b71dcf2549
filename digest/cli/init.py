"""`digest init`: start a newsletter in a folder."""

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from digest.cli.console import ask, on_a_terminal, print_json, say
from digest.cli.options import AsJson, argument, option
from digest.config.load import load_text
from digest.config.starter import Beginning, starter
from digest.errors import ConfigError, DigestError, Problem, UsageError
from digest.storage.database import open_database

_FILE = "digest.toml"
_DATABASE = "subscribers.db"

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
    folder: Annotated[Path, argument("The folder; created if it does not exist.", metavar="DIR")],
    *,
    name: Annotated[str | None, option("The name of the publication.")] = None,
    url: Annotated[str | None, option("The URL of its website.")] = None,
    sender: Annotated[
        str | None, option("`Name <address>`, or an address alone.", "--from", metavar="SENDER")
    ] = None,
    language: Annotated[str, option("Language of the newsletter, such as fr.")] = "en",
    timezone: Annotated[str, option("Time zone, such as Europe/Paris.")] = "UTC",
    postal_address: Annotated[
        str | None, option("Postal address for the footer; required before sending.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start a newsletter in a folder, with a commented digest.toml.

    On a terminal, it asks for what the options do not give. An existing digest.toml is not changed.

    Example: `digest init town --name "Town News" --url https://www.example.com --from
    "Town News <news@example.com>"`
    """
    _refuse_existing(folder)
    if on_a_terminal():
        name = name or _asked("Name of the publication", "name")
        url = url or _asked("URL of its website, such as https://www.example.com", "url")
        sender = sender or _asked("Sender, as Name <address>", "sender")
        if postal_address is None:
            postal_address = _asked(
                "Postal address for the footer (can be added later)", "postal_address"
            )
    if not (name and url and sender):
        required = {"--name": name, "--url": url, "--from": sender}
        missing = [option for option, value in required.items() if not value]
        raise UsageError(
            f"init needs {', '.join(missing)}",
            hint="Give these options, or run `digest init` on a terminal, where it asks for them.",
        )
    beginning = Beginning(
        name=name,
        url=url,
        sender=sender,
        language=language,
        timezone=timezone,
        postal_address=postal_address or "",
    )
    text, problems = _text_and_problems(beginning, folder)
    if problems:
        raise ConfigError("some values are not valid; nothing was written", problems=problems)
    _write(folder, text)
    if as_json:
        files = {"configuration": folder / _FILE, "database": folder / _DATABASE}
        print_json({"folder": folder, **files})
    else:
        _say_what_next(folder, beginning)


def _asked(question: str, field: str) -> str:
    """Ask for the value of a key, until the answer is valid."""
    valid = Beginning(name="News", url="https://www.example.com", sender="news@example.com")

    def parse(answer: str) -> str:
        if not answer and field != "postal_address":
            raise UsageError("an answer is required")
        _, problems = _text_and_problems(replace(valid, **{field: answer}), Path())
        if problems:
            advice = problems[0].suggestion and f"Did you mean {problems[0].suggestion}?"
            raise UsageError(
                f"found {problems[0].found}, expected {problems[0].expected}", hint=advice
            )
        return answer

    return ask(question, parse)


def _refuse_existing(folder: Path) -> None:
    # lexists: a dangling link is somebody's as well.
    if os.path.lexists(folder / _FILE):
        raise UsageError(
            f"{folder / _FILE} already exists; nothing was changed",
            hint="Edit it, or name another folder.",
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="Name a folder.")


def _text_and_problems(beginning: Beginning, folder: Path) -> tuple[str, list[Problem]]:
    """The text of digest.toml, and what is wrong with it, by option."""
    try:
        text = starter(beginning)
        load_text(text, (folder / _FILE).absolute(), {})
    except ValueError:
        raise UsageError("an option is not valid text", hint="Use UTF-8.") from None
    except ConfigError as error:
        return "", [
            replace(problem, path=_OPTIONS.get(problem.path, problem.path))
            for problem in error.problems
            # Its title is its name, and would be a problem twice.
            if problem.path != "newsletters.daily.title"
        ]
    return text, []


def _write(folder: Path, text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # "x": of two processes that start at once, one fails.
        with (folder / _FILE).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        _refuse_existing(folder)
        raise
    except OSError as error:
        raise DigestError(
            f"{folder} cannot be written: {error.strerror}",
            hint="Name a folder that you can write to.",
        ) from None
    database = folder / _DATABASE
    if not database.exists():
        with open_database(database):
            pass


def _say_what_next(folder: Path, beginning: Beginning) -> None:
    say(f"Started a newsletter in {folder}. Next:\n")
    steps = {
        f"cd {shlex.quote(str(folder))}": "",
        "digest ingest FEED-OR-FILE": "add articles",
        "digest subscribers add you@example.com": "add yourself as a reader",
        "digest preview": "see what would be sent",
    }
    width = max(map(len, steps))
    for command, purpose in steps.items():
        say(f"    {command:{width}}  # {purpose}" if purpose else f"    {command}")
    file = folder / _FILE
    if not beginning.postal_address.strip():
        say(f"\nBefore the first send, set postal_address in {file}.")
    if beginning.timezone == "UTC":
        say(f"\nThe time zone is UTC; to change it, set timezone in {file}.")
