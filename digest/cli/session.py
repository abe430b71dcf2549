"""What commands start with: the settings, the newsletter, the database, the time of `--at`."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import typer

from digest.config import Settings
from digest.config.load import load
from digest.errors import SubscriberError, UsageError
from digest.lib.timestamps import next_second
from digest.model.newsletter import Newsletter
from digest.storage.database import Access, Database, open_database


@dataclass
class CommandSession:
    """One run of the program. `settings` is read on first use, so errors appear only then."""

    config: Path
    debug: bool

    @cached_property
    def settings(self) -> Settings:
        """The settings of `--config`. Raises ConfigError."""
        return load(self.config, os.environ)


def session_of(context: typer.Context) -> CommandSession:
    """The session that the root command left for its subcommands."""
    session = context.find_object(CommandSession)
    if session is None:  # only where a command is not below the root of app.py
        raise UsageError("there is no session: call the command as `digest COMMAND`")
    return session


def reading(context: typer.Context) -> AbstractContextManager[Database]:
    """The database, read-only. Raises StorageError if there is none."""
    return open_database(session_of(context).settings.database, Access.READ)


def writing(context: typer.Context) -> AbstractContextManager[Database]:
    """The database, to be changed; created if there is none."""
    return open_database(session_of(context).settings.database)


def existing_database(settings: Settings) -> None:
    """Raises StorageError if there is no database, for commands that must not create one."""
    with open_database(settings.database, Access.READ):
        pass


def chosen(
    context: typer.Context, newsletter: str | None, at: str | None
) -> tuple[Settings, Newsletter, datetime]:
    """The settings, the newsletter that is named or the only one, and the second of `--at`.

    Raises UsageError.
    """
    settings = session_of(context).settings
    return settings, settings.newsletter(newsletter), next_second(instant_of(at, settings))


def key_of(context: typer.Context, newsletter: str | None) -> str:
    """The newsletter's key; the only one is the default. Raises UsageError."""
    return session_of(context).settings.newsletter(newsletter).key


def typed_address(text: str) -> str:
    """An address that was typed, as it is stored. Raises UsageError."""
    from digest.subscribers.address import normalise  # most commands need no tables of domains

    with as_usage_error():
        return normalise(text)


@contextmanager
def as_usage_error() -> Iterator[None]:
    """A SubscriberError about what was typed on the command line is wrong usage."""
    try:
        yield
    except SubscriberError as error:
        raise UsageError(error.message, hint=error.hint) from None


#: In these years no time zone leads out of what datetime can hold.
_YEARS = range(1970, 9999)


def instant_of(text: str | None, settings: Settings, *, option: str = "--at") -> datetime:
    """The instant that an option gives, or now. Without a zone it is local time of the site.

    Raises UsageError for anything but an ISO 8601 date and time between 1970 and 9998.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: found {text!r}, expected a time such as 2026-03-12T07:00 or"
            " 2026-03-12T07:00Z"
        ) from None
    if instant.year not in _YEARS:
        raise UsageError(f"{option}: found {text!r}, expected a year from 1970 to 9998")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=settings.site.timezone)
    return instant.astimezone(UTC)
