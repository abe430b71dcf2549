"""A newsletter with 10,000 readers in a folder, and real `digest` processes that send it."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.config.load import load
from digest.config.settings import Settings
from digest.lib.timestamps import to_text
from digest.storage.database import Access, open_database
from tests.faults.scripted_server import ScriptedServer

READERS = 10_000
CONNECTIONS = 4

#: Seconds. Nothing here takes as long, on the slowest of machines: who comes to this hangs.
DEADLINE = 300.0

CONFIG = """
[site]
name = "Gazette"
url = "https://gazette.example"
postal_address = "1 Quay"

[smtp]
host = "localhost"
security = "none"
connections = {connections}
timeout = "10m"
timeout_after_data = "10m"

[newsletters.daily]
title = "Gazette"
from = "Gazette <tide@gazette.example>"
"""

_READER = "insert into subscribers (id, email, created_at) values (?, ?, ?)"
_SUBSCRIPTION = (
    "insert into subscriptions (subscriber_id, newsletter, state, since, token)"
    " values (?, 'daily', 'active', ?, ?)"
)
_ARTICLE = (
    "insert into articles (identity, source, url, canonical_url, title, published_at,"
    " first_seen_at) values ('ferry', 'wire', 'https://gazette.example/ferry',"
    " 'https://gazette.example/ferry', 'Ferry runs again', ?, ?)"
)

_STATES = "select s.email, d.state from deliveries d join subscribers s on s.id = d.subscriber_id"


def reader(number: int) -> str:
    """The address of a reader; they are served about in the order of their numbers, from 1."""
    return f"reader-{number}@example.com"


def stock(folder: Path, readers: int = READERS) -> None:
    """Make the newsletter: settings, one article that is due, and its readers."""
    config = CONFIG.format(connections=CONNECTIONS)
    (folder / "digest.toml").write_text(config, encoding="utf-8")
    when = to_text(datetime.now(UTC) - timedelta(hours=1))
    numbers = range(1, readers + 1)
    with open_database(folder / "subscribers.db") as db, db.transaction():
        db.execute(_ARTICLE, (when, when))
        db.connection.executemany(_READER, ((n, reader(n), when) for n in numbers))
        db.connection.executemany(_SUBSCRIPTION, ((n, when, f"token-{n:06}") for n in numbers))


@dataclass
class Gazette:
    """The newsletter in a folder of its own.

    `environment` goes on top of the test's own; `launcher` is how Python is told to be `digest`.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    launcher: tuple[str, ...] = ("-m", "digest")

    @classmethod
    def copied(cls, stocked: Path, folder: Path) -> "Gazette":
        """A copy of a newsletter that nobody has opened."""
        shutil.copytree(stocked, folder, dirs_exist_ok=True)
        return cls(folder)

    @property
    def database(self) -> Path:
        """Its ledger."""
        return self.folder / "subscribers.db"

    @property
    def settings(self) -> Settings:
        """Its settings, as a `digest` of this folder reads them."""
        return load(self.folder / "digest.toml", self.environment)

    def at(self, server: ScriptedServer, **more: str) -> None:
        """Send by way of this server from now on."""
        self.environment = {
            "DIGEST_SMTP__HOST": server.host,
            "DIGEST_SMTP__PORT": str(server.port),
        } | more

    def digest(self, *words: str, codes: Collection[int] = (0,)) -> "Ended":
        """Run a command to its end; it ends with one of these codes."""
        with self.running(*words) as process:
            ended = process.ended()
        assert ended.code in codes, ended
        return ended

    def resumed_until_nobody_waits(self) -> None:
        """Resume as often as a patient owner would."""
        for _ in range(20):
            if not {"queued", "deferred"} & set(self.states().values()):
                return
            self.digest("resume", "--now", codes=(0, 5))

    @contextmanager
    def running(self, *words: str) -> Iterator["Sender"]:
        """A command that runs beside the test. It does not outlive it."""
        process = subprocess.Popen(
            [sys.executable, *self.launcher, *words],
            cwd=self.folder,
            env=os.environ | {"NO_COLOR": "1"} | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Sender(process)
            finally:
                process.kill()

    def states(self) -> Mapping[str, str]:
        """Each reader's delivery, as the ledger has it."""
        with open_database(self.database, Access.READ) as db:
            rows = db.rows(_STATES)
        states = {row["email"]: str(row["state"]) for row in rows}
        assert len(states) == len(rows), "a reader has two deliveries"
        return states

    def editions(self) -> list[str]:
        """The state of each edition, as the ledger has it."""
        with open_database(self.database, Access.READ) as db:
            return [str(row["state"]) for row in db.rows("select state from editions")]


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    told: str
    complained: str


class Sender:
    """A process that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def next_line(self) -> str:
        """Its next message."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def ended(self) -> Ended:
        """How it ends."""
        told, complained = self._process.communicate(timeout=DEADLINE)
        return Ended(self._process.returncode, told, complained)


class Target:
    """The process that a script of the server means, once there is one."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._pid = 0

    def aim(self, sender: Sender) -> Sender:
        """From now on it is this one."""
        self._pid = sender.pid
        self._known.set()
        return sender

    @property
    def pid(self) -> int:
        """Its number, as soon as it has one."""
        assert self._known.wait(DEADLINE)
        return self._pid

    def hit(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)
