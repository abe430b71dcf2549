"""What the commands of `digest subscribers` share: options, and the database opened for them."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.options import option
from digest.cli.session import reading, session_of
from digest.errors import UsageError
from digest.model.subscriber import MembershipStatus
from digest.storage.database import Access, Database, open_database
from digest.subscribers.changes import ChangeContext
from digest.subscribers.field_values import one_line

Wording = Annotated[
    str | None,
    option("What the subscriber agreed to; stored as consent.", "--consent", metavar="WORDING"),
]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE,…",
        help="Only these states: active, pending, paused, unsubscribed, suppressed (default: all)."
        " Separated by commas; may be repeated.",
    ),
]


def read_file(file: Path) -> bytes:
    """All of a file, or of standard input.

    Raises UsageError where there is no such file.

    It is read in pieces, as `read_bytes` on a slow pipe would not notice a Ctrl-C.
    """
    pieces = []
    is_stdin = str(file) == "-"
    if not is_stdin and not file.exists():
        raise UsageError(f"there is no file {file}", hint="Name a file in CSV, JSON or JSON Lines.")
    if file.is_dir():
        raise UsageError(f"{file} is a folder, expected a file", hint="Name a file in it.")
    with open(0 if is_stdin else file, "rb", buffering=0, closefd=not is_stdin) as source:
        while piece := source.read(1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def change_context(
    newsletter: str | None, *, wording: str | None = None, file: Path | None = None
) -> ChangeContext:
    """Where and when a change happens: now, from the command line or from a file."""
    name = "standard input" if str(file) == "-" else file and one_line(file.name)
    return ChangeContext(
        newsletter=newsletter or "",
        now=datetime.now(UTC),
        origin=f"import {name}" if file else "command line",
        tokens=lambda: secrets.token_urlsafe(16),
        wording=one_line(wording or "") or None,
        numbered=file is not None,
    )


#: Seconds to wait for another import: a large one locks the database until it is done.
_BUSY_TIMEOUT = 60.0


def opened(context: typer.Context) -> AbstractContextManager[Database]:
    """The database, to change the list; created if there is none."""
    return open_database(
        session_of(context).settings.database, Access.WRITE, busy_timeout=_BUSY_TIMEOUT, cache=64
    )


@contextmanager
def for_planning(context: typer.Context) -> Iterator[Database]:
    """The database to read for a dry run; a temporary empty one if there is none yet."""
    if session_of(context).settings.database.exists():
        with reading(context) as db:
            yield db
        return
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder, "list.db")) as db:
        yield db


def split(words: Sequence[str] | None) -> list[str]:
    """The values of an option that may be repeated and takes several, separated by commas."""
    return [word for listed in words or () for word in listed.split(",") if word.strip()]


def statuses_of(words: Sequence[str] | None) -> Sequence[MembershipStatus]:
    """The statuses that `--state` names; all of them without the option. Raises UsageError."""
    every = list(MembershipStatus)
    if words is None:
        return every
    named, expected = split(words), f"expected one of {', '.join(every)}"
    if not named:
        raise UsageError(f"--state is empty, {expected}")
    for word in named:
        if word.strip().casefold() not in every:
            raise UsageError(f"--state: found {word!r}, {expected}")
    return [MembershipStatus(word.strip().casefold()) for word in named]


def titles_of(columns: Sequence[str]) -> dict[str, str]:
    """The titles in the file by our column, from `--column COLUMN=TITLE`. Raises UsageError."""
    titles: dict[str, str] = {}
    for text in columns:
        column, _, title = (part.strip() for part in text.partition("="))
        if not (column and title):
            raise UsageError(f"--column: found {text!r}, expected one such as name=Vorname")
        titles[column] = title
    return titles
