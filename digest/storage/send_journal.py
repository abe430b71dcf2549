"""The journal: what happened since the last batch was recorded, one line for each event.

Deliveries are recorded in batches; between two batches the journal has which messages were begun
(their final dot was about to be written) and how they ended. After a crash it makes the difference
between not sent, sent and Unknown. `docs/decisions/0004` has the argument.

Lines are written at once and not synchronised: what a process has written survives its death, and
only a crash of the machine can lose the tail. The journal therefore names the boot of the machine
that it was written under. Read under another one, its silence proves nothing.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from digest.errors import DatabaseUnwritable
from digest.model.delivery import DELIVERY_TRANSITIONS, DeliveryState

_HEADER: Final = "digest journal 1"

#: Where Linux names the running boot. Elsewhere no silence is trusted.
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

#: Bytes after which a journal starts over.
_LONG: Final = 4_000_000

#: How an attempt can end.
_ENDS: Final = {
    state.value: state
    for state in DELIVERY_TRANSITIONS[DeliveryState.SENDING] - {DeliveryState.QUEUED}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The content of a journal.

    The final dot of `begun` was about to be written; `ended` has the state of some of them, and the
    reply. If it is `whole`, a delivery that is not mentioned was not begun.
    """

    begun: frozenset[int] = frozenset()
    ended: Mapping[int, tuple[DeliveryState, str]] = field(default_factory=dict)
    whole: bool = False


def journal_of(database: Path) -> Path:
    """Where the journal of a database is."""
    return database.with_name(database.name + ".sending")


def boot_id() -> str:
    """An id of the running boot of this machine; empty where the system has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def read(path: Path) -> Evidence:
    """The content of the journal at `path`; empty if there is none.

    A torn or damaged line is skipped: it can only be the tail that a power cut left.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return Evidence()
    begun: set[int] = set()
    ended: dict[int, tuple[DeliveryState, str]] = {}
    # What follows the last line end was not written whole.
    for line in lines[1:-1]:
        word, _, event = line.decode("utf-8", "replace").partition(" ")
        number, _, reply = event.partition(" ")
        if not number.isdecimal():
            continue
        if word == "begun":
            begun.add(int(number))
            ended.pop(int(number), None)
        elif word in _ENDS:
            ended[int(number)] = _ENDS[word], reply.strip()
    same_boot = bool(boot_id()) and lines[0] + b"\n" == _header()
    return Evidence(begun=frozenset(begun), ended=ended, whole=same_boot)


def _header() -> bytes:
    return f"{_HEADER} {boot_id()}\n".encode()


class Journal:
    """An open journal. Made anew for each delivery run, when nothing is claimed."""

    def __init__(self, path: Path) -> None:
        """Start the file over, durably. Raises DatabaseUnwritable."""
        self._path = path
        self._size = 0
        self._open: dict[int, bytes] = {}
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(path, flags, 0o600)
            self._write(_header())
            os.fsync(self._file)
        except OSError as error:
            raise self._trouble(error) from error

    def begun(self, delivery_id: int) -> None:
        """The final dot of this delivery is about to be written.

        Raises DatabaseUnwritable if that cannot be put on record: then it must not be written.
        """
        self._say(delivery_id, b"begun %d\n" % delivery_id)

    def ended(self, delivery_id: int, state: DeliveryState, reply: str) -> None:
        """The attempt is over. Raises DatabaseUnwritable."""
        line = f"{state} {delivery_id} {' '.join(reply.split())}\n"
        self._say(delivery_id, line.encode("utf-8", "replace"))

    def forget(self, delivery_ids: Iterable[int]) -> None:
        """These are in the ledger by now, durably. A journal that has grown long starts over."""
        for delivery_id in delivery_ids:
            self._open.pop(delivery_id, None)
        if self._size > _LONG:
            self._start_over()

    def close(self) -> None:
        """Close the file; it stays for whoever wants to read it."""
        os.close(self._file)

    def _say(self, delivery_id: int, line: bytes) -> None:
        try:
            self._write(line)
        except OSError as error:
            raise self._trouble(error) from error
        self._open[delivery_id] = self._open.get(delivery_id, b"") + line

    def _write(self, line: bytes) -> None:
        if os.write(self._file, line) != len(line):
            # A full disk took a part of it; half a line must not pass for a whole one.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)

    def _start_over(self) -> None:
        """A new file with what the ledger does not know yet takes the place of the old one."""
        fresh = self._path.with_name(self._path.name + ".new")
        content = _header() + b"".join(self._open.values())
        try:
            fresh.write_bytes(content)
            fresh.chmod(0o600)
            file = os.open(fresh, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            fresh.replace(self._path)
        except OSError:
            # The old one serves as well; it is only long.
            return
        os.close(self._file)
        self._file, self._size = file, len(content)

    def _trouble(self, error: OSError) -> DatabaseUnwritable:
        return DatabaseUnwritable(
            f"the journal {self._path} cannot be written: {error.strerror}",
            hint="Free some space, or correct the rights on the folder, and repeat the command:"
            " it continues where this one ended.",
        )
