"""Notifications to systemd: datagrams to the socket that it names (`sd_notify(3)`)."""

import os
import socket
import threading
from collections.abc import Mapping
from typing import Final, Self

from digest.service.state import Heartbeat

_MICROSECONDS: Final = 1_000_000

#: Seconds that we wait while it has not read an earlier datagram: it is busy, not gone.
_TIMEOUT: Final = 2.0


class Supervisor:
    """The service manager that started us. Without one, nothing happens."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environ)

    def ready(self) -> None:
        """We are up."""
        self._notify("READY=1")

    def reloading(self) -> None:
        """We read our settings anew; `ready` follows."""
        self._notify("RELOADING=1")

    def stopping(self) -> None:
        """We are about to end."""
        self._notify("STOPPING=1")

    def alive(self) -> None:
        """Our main loop lives. To be said more often than every `watchdog` seconds."""
        self._notify("WATCHDOG=1")

    def status(self, line: str) -> None:
        """What we are doing, for `systemctl status`."""
        self._notify("STATUS=" + " ".join(line.split()))

    def _notify(self, message: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        # A name that begins with @ is in Linux's abstract namespace.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.settimeout(_TIMEOUT)
                line.connect(address)
                line.send(message.encode())
        except OSError:
            return  # whoever does not listen need not be notified


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """Seconds after which we are taken for dead; None where nobody watches, or not this process."""
    interval, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if watched and watched != str(os.getpid()):
        return None
    return int(interval) / _MICROSECONDS if interval.isdecimal() and int(interval) else None


class Watchdog:
    """Passes the heartbeat on, from a thread of its own, twice in each interval."""

    def __init__(self, supervisor: Supervisor, heartbeat: Heartbeat) -> None:
        self._supervisor = supervisor
        self._heartbeat = heartbeat
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
            if self._heartbeat.alive:
                self._supervisor.alive()
            if self._ended.wait(interval / 2):
                return
