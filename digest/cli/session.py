"""What every command is given: where the configuration is, and the answers read from it once."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.config import Settings


@dataclass
class Session:
    """One run of the program. `settings` is read, and complained about, on first use."""

    config: Path
    debug: bool

    @cached_property
    def settings(self) -> "Settings":
        """The settings of `--config`. Raises ConfigError."""
        from digest.config.load import load

        return load(self.config, os.environ)


def session_of(context: typer.Context) -> Session:
    """The session that the root command left for its subcommands."""
    session = context.find_object(Session)
    if session is None:  # only if a command is mounted on another root
        raise UsageError("no session: commands run under `digest`")
    return session


def instant_of(text: str | None, settings: "Settings") -> datetime:
    """The instant that `--at` names, or now. Without a zone it is the site's wall time.

    Raises UsageError for what is not an ISO 8601 date and time.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--at: found {text!r}, expected a time such as 2026-03-12T07:00 or 2026-03-12T07:00Z"
        ) from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=settings.site.timezone)
    return instant.astimezone(UTC)
