"""Real `digest run` processes, and what their logs say."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.lib.timestamps import to_text
from digest.storage.database import open_database
from tests.faults.gazette import DEADLINE, Gazette, Sender

Line = dict[str, Any]


def make_due(gazette: Gazette) -> None:
    """Give the newsletter a schedule, a slot of which came two minutes ago; nobody has seen it."""
    slot = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
    config = gazette.folder / "digest.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f'{text}schedule = "daily at {slot:%H:%M}"\n', encoding="utf-8")
    before = to_text(slot - timedelta(minutes=1))
    with open_database(gazette.database) as db:
        db.execute("insert into timetables (newsletter, until) values ('daily', ?)", (before,))


class Service:
    """A `digest run` beside the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def sender(self) -> Sender:
        """The same process, for a script to aim at."""
        return Sender(self.process)

    def until(self, event: str, **fields: object) -> Line:
        """The next line of the log with this event and these fields."""
        while True:
            text = self._waiting.get(timeout=DEADLINE)
            assert text, f"it ended before {event}: {self.lines}"
            line: Line = json.loads(text)
            if line["event"] == event and fields.items() <= line.items():
                return line

    def code(self) -> int:
        """How it ends. What it said is in `lines` by then, to the last one."""
        code = self.process.wait(DEADLINE)
        self._listener.join(DEADLINE)
        return code

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self._waiting.put(line)
        self._waiting.put("")


@contextmanager
def running(gazette: Gazette, **environment: str) -> Iterator[Service]:
    """A service of this newsletter. It does not outlive the test."""
    process = subprocess.Popen(
        [sys.executable, *gazette.launcher, "run"],
        cwd=gazette.folder,
        env=os.environ | gazette.environment | {"DIGEST_SERVICE__LOG": "json"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Service(process)
        finally:
            process.kill()
