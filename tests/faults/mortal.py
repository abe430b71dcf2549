"""Lives of a process that may be killed at any statement, and a server whose book survives them.

A life is a fork: it has a number of steps to live, and the last of them is SIGKILL. Every SQL
statement of every connection is a step, and so is every stage of handing over a message.
"""

import os
import random
import re
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from digest.model.delivery import Accepted, Outcome, Reply
from digest.sender.message_data import Envelope, Message, joined
from digest.sender.transport import no_precommit

_MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-z]+)\.(\d+)@", re.MULTILINE)


class Mortality:
    """So many steps to live; None is for ever."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def step(self, *_anything: object) -> None:
        """Live on, or die as suddenly as a process can."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def in_every_statement(self) -> Iterator[None]:
        """Count the statements of all connections that are opened meanwhile, in any thread."""
        connect = sqlite3.connect

        def traced(*arguments: Any, **named: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **named)
            connection.set_trace_callback(self.step)
            return connection

        sqlite3.connect = traced  # type: ignore[assignment]  # in this life only
        try:
            yield
        finally:
            sqlite3.connect = connect


class Mailbox:
    """A transport that accepts everything; its book is a file, which a death leaves as it was."""

    connections = 2

    def __init__(self, book: Path, mortality: Mortality) -> None:
        self._book = book
        self._mortality = mortality
        self._file = -1

    async def __aenter__(self) -> Self:
        self._file = os.open(self._book, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        found = _MESSAGE_ID.search(joined(message))
        assert found is not None
        self._mortality.step()
        before_commit()
        self._mortality.step()
        line = f"{found[1].decode()} {found[2].decode()} {envelope.rcpt_to}\n"
        os.write(self._file, line.encode())
        self._mortality.step()
        return Accepted(reply=Reply(code=250, text="taken"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message that the server took."""

    nonce: str
    delivery_id: int
    reader: str


def read_book(book: Path) -> Counter[Entry]:
    """How often the server took each message."""
    if not book.exists():
        return Counter()
    lines = (line.split() for line in book.read_text().splitlines())
    return Counter(
        Entry(nonce=nonce, delivery_id=int(delivery), reader=reader)
        for nonce, delivery, reader in lines
    )


def live(life: Callable[[Mortality], None], steps: int | None) -> bool:
    """Run a life in a process of its own. True if it came to its end, False if it was killed.

    Raises AssertionError where it ended in any other way.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            mortality = Mortality(steps)
            with mortality.in_every_statement():
                life(mortality)
            code = 0
        except BaseException:  # noqa: BLE001  # nothing may leave a forked test by another way
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    assert os.waitstatus_to_exitcode(status) == 0, "a life ended with an error"
    return True


def expectations(dice: random.Random) -> Iterator[int]:
    """For how many steps lives last: some die young, in the middle of their first tick."""
    while True:
        yield int(dice.expovariate(1 / 1500)) if dice.random() < 0.6 else dice.randrange(1, 400)
