"""A folder of .eml files in place of a server: one file for each message, complete or not there."""

import asyncio
import os
import re
from pathlib import Path
from typing import Final, Self

from digest.errors import SenderError
from digest.lib.atomic_file import owner_only, temporary_beside
from digest.model.delivery import Accepted, Outcome, Reply, Unknown
from digest.sender.message_data import Envelope, Message, joined
from digest.sender.transport import Precommit, no_precommit

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9@._+-]+")

#: Characters of the address: counter and ending must fit into the 255 octets of a file name too.
_LONGEST: Final = 120


class FolderTransport:
    """Writes messages to `folder`, which is made where it is missing.

    A file is named by a counter and its reader (`0001-ada@example.org.eml`) and never overwrites
    another. It appears under its name once it is whole and on the disk; that is the commit.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    @property
    def connections(self) -> int:
        """One: files are written one after the other."""
        return 1

    async def __aenter__(self) -> Self:
        """Make the folder. Raises SenderError where that cannot be."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self._folder, os.W_OK | os.X_OK):
                raise PermissionError(None, "no permission to write there")
        except OSError as error:
            raise self._error(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left to close."""

    async def send(
        self, envelope: Envelope, message: Message, *, before_commit: Precommit = no_precommit
    ) -> Outcome:
        """Write one message. Raises SenderError where it cannot be written: nothing is then there.

        See `Transport.send`.
        """
        # Nothing here waits, and `Transport.send` promises other tasks a turn.
        await asyncio.sleep(0)
        with temporary_beside(self._folder / "message") as unfinished:
            self._write(unfinished, joined(message))
            before_commit()
            name = self._publish(unfinished, envelope.rcpt_to)
        try:
            self._sync_folder()
        except OSError as error:
            return Unknown(
                reason=f"{name} is written, and may not be on the disk: {error.strerror}"
            )
        return Accepted(reply=Reply(code=250, text=f"written to {name}"))

    def _write(self, file: Path, message: bytes) -> None:
        """Write the message to the disk under a name that no mail program looks at."""
        try:
            with open(file, "xb", opener=owner_only) as writing:
                writing.write(message)
                writing.flush()
                os.fsync(writing.fileno())
        except OSError as error:
            raise self._error(error) from error

    def _publish(self, unfinished: Path, reader: str) -> str:
        """Give the file the first free name. Unlike a rename, a link never replaces a file."""
        while True:
            self._count += 1
            name = file_name(self._count, reader)
            try:
                os.link(unfinished, self._folder / name)
            except FileExistsError:
                continue
            except OSError as error:
                raise self._error(error) from error
            return name

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _error(self, error: OSError) -> SenderError:
        return SenderError(
            f"cannot write messages to {self._folder}: {error.strerror or error}",
            hint="Choose another folder, or free space there.",
        )


def file_name(number: int, reader: str) -> str:
    """A name that every file system takes: `0001-ada@example.org.eml`."""
    safe = _UNSAFE.sub("_", reader)[:_LONGEST].strip(".")
    return f"{number:04d}-{safe or 'reader'}.eml"
