"""What the commands of the list share: its file, its newsletter, and what their options mean."""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from digest.cli.session import reading, session_of
from digest.errors import UsageError
from digest.model.subscriber import MembershipStatus
from digest.storage.database import Access, Database, open_database
from digest.subscribers.changes import ChangeContext
from digest.subscribers.field_values import one_line

Wording = Annotated[
    str | None,
    typer.Option("--consent", metavar="WORDING", help="What was agreed to; kept as a receipt."),
]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--state",
        metavar="STATE,…",
        help="Only active, pending, paused, unsubscribed or suppressed ones. Commas between them,"
        " or given repeatedly. By default everybody.",
    ),
]


def whole(file: Path) -> bytes:
    """All of a file, or of standard input.

    Raises UsageError where there is no such file.

    Piece by piece: `read_bytes` on a slow pipe would not notice a Ctrl-C between two of its reads.
    """
    pieces = []
    is_stdin = str(file) == "-"
    if not is_stdin and not file.exists():
        raise UsageError(f"there is no file {file}", hint="Name a list in CSV, JSON or JSON Lines.")
    if file.is_dir():
        raise UsageError(f"{file} is a folder, expected a file", hint="Name a file in it.")
    with open(0 if is_stdin else file, "rb", buffering=0, closefd=not is_stdin) as source:
        while piece := source.read(1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def key_of(context: typer.Context, newsletter: str | None) -> str:
    """The key of the newsletter that is meant. Raises UsageError where that is unclear."""
    return session_of(context).settings.newsletter(newsletter).key


def circumstances(
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


#: Seconds to wait for another import: a large one keeps the list to itself until it is done.
_PATIENCE = 60.0


def opened(context: typer.Context) -> AbstractContextManager[Database]:
    """The list, to be changed; made if there is none."""
    return open_database(
        session_of(context).settings.database, Access.WRITE, busy_timeout=_PATIENCE, cache=64
    )


@contextmanager
def for_planning(context: typer.Context) -> Iterator[Database]:
    """The database to look into; an empty one elsewhere if there is none, because none is made."""
    if session_of(context).settings.database.exists():
        with reading(context) as db:
            yield db
        return
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder, "list.db")) as db:
        yield db


_E = TypeVar("_E", bound=StrEnum)


def one_of(words: type[_E], option: str, word: str) -> _E:
    """The member of an enumeration that an option names. Raises UsageError."""
    try:
        return words(word.strip().casefold())
    except ValueError:
        raise UsageError(f"{option}: found {word!r}, expected one of {', '.join(words)}") from None


def split(words: Sequence[str] | None) -> list[str]:
    """The words of an option that takes several: with commas between them, or given repeatedly."""
    return [word for given in words or () for word in given.split(",") if word.strip()]


def standings_of(words: Sequence[str] | None) -> Sequence[MembershipStatus]:
    """The standings that were named; all of them where no option was given."""
    if words is None:
        return list(MembershipStatus)
    named = split(words)
    if not named:
        raise UsageError(f"--state is empty, expected one of {', '.join(MembershipStatus)}")
    return [one_of(MembershipStatus, "--state", word) for word in named]


def titles_of(told: Sequence[str]) -> dict[str, str]:
    """What `--column OURS=TITLE` says. Raises UsageError for anything else."""
    titles: dict[str, str] = {}
    for text in told:
        ours, sign, title = (part.strip() for part in text.partition("="))
        if not (ours and sign and title):
            raise UsageError(f"--column: found {text!r}, expected one such as name=Vorname")
        titles[ours] = title
    return titles
