"""The watchdog's answer: systemd is told that we live only while the main loop does."""

import threading
from typing import Self

from digest.service.state import Pulse
from digest.service.systemd import Supervisor


class Watchdog:
    """Passes the pulse on, from a thread of its own, twice in each interval."""

    def __init__(self, supervisor: Supervisor, pulse: Pulse) -> None:
        self._supervisor = supervisor
        self._pulse = pulse
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        if self._supervisor.watchdog is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        interval = self._supervisor.watchdog or 0.0
        while True:
            if self._pulse.alive:
                self._supervisor.alive()
            if self._ended.wait(interval / 2):
                return
