"""What can go wrong, as a tree.

    DigestError                     anything that a user is told about, without a traceback
    ├── UsageError                  the command was called in a way that makes no sense
    ├── ConfigError                 digest.toml or the environment is wrong; holds every problem
    ├── StorageError                the database refused
    │   ├── DatabaseBusy            another process has held it for longer than we wait
    │   ├── DatabaseForeign         not SQLite, damaged, or somebody else's
    │   ├── DatabaseNewer           written by a later version of digest
    │   └── DatabaseUnwritable      read-only, or the disk is full
    ├── SourceError                 a source of articles cannot be read
    ├── SubscriberError             a subscriber or a list of subscribers is not valid
    ├── TemplateError               a template does not parse or does not render
    ├── SenderError                 a message cannot be sent
    │   └── RelayUnavailable        the SMTP server does not answer, refuses us, or hangs
    └── LedgerError                 the record of editions does not allow it
        ├── SlotTaken               the slot has its edition already
        ├── Superseded              something changed between building an edition and storing it
        ├── AlreadySending          another process is sending editions of this database
        ├── AlreadyRunning          a service is running for this database already
        ├── Held                    the edition waits for a decision
        └── Interrupted             a send was stopped at once; unknown results are recorded

Results that are expected are values (`digest.model.delivery`), never exceptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class DigestError(Exception):
    """Something a user should read: what is wrong, and what to do about it.

    `message` names the thing, what was found and what was expected; `hint` says what to do next.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DigestError):
    """The command was called in a way that makes no sense."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in the configuration; `path` is dotted, as in `smtp.port`."""

    path: str
    found: str
    expected: str
    suggestion: str | None = None

    def __str__(self) -> str:
        advice = f" Did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.path}: found {self.found}, expected {self.expected}.{advice}"


class ConfigError(DigestError):
    """The configuration is wrong. `problems` lists everything that is, not only the first."""

    exit_code = 2

    def __init__(
        self, message: str, *, problems: Sequence[Problem] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class StorageError(DigestError):
    """The database refused."""


class DatabaseBusy(StorageError):
    """Another process has held the database for longer than we wait."""


class DatabaseForeign(StorageError):
    """The file is not SQLite, is damaged, or belongs to another program."""


class DatabaseNewer(StorageError):
    """The file was written by a later version of digest."""


class DatabaseUnwritable(StorageError):
    """The file is read-only, or the disk is full."""


class SourceError(DigestError):
    """A source of articles cannot be read."""


class SubscriberError(DigestError):
    """A subscriber or a list of subscribers is not valid."""


class TemplateError(DigestError):
    """A template does not parse, or does not render."""


class SenderError(DigestError):
    """A message cannot be sent."""


class RelayUnavailable(SenderError):
    """The SMTP server does not answer, refuses us, or hangs. The address is not the cause."""


class LedgerError(DigestError):
    """The record of editions does not allow it."""


class SlotTaken(LedgerError):
    """The slot has its edition already."""

    exit_code = 3


class Superseded(LedgerError):
    """Something changed between building an edition and storing it; build it again."""


class AlreadySending(LedgerError):
    """Another process is sending editions of this database; this one has done nothing."""

    exit_code = 3


class AlreadyRunning(LedgerError):
    """A service is running for this database already."""

    exit_code = 3


class Held(LedgerError):
    """The edition waits for a decision."""

    exit_code = 4


class Interrupted(LedgerError):
    """A send was stopped at once. Deliveries with unknown result are recorded."""

    exit_code = 5
