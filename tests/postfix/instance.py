"""A real Postfix of our own: its configuration, its queue and port, nothing of the system's.

    with Postfix(relay_to=server.port) as postfix:
        ...  # postfix.port takes messages, and Postfix brings them to the server

Only root can run one. It ends with the block; where the test process dies before that, it ends by
itself half an hour later.
"""

import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from tests.faults.scripted_server import held_port
from tests.postfix.configuration import MAIN, MASTER

#: Seconds. No test of ours takes as long, so what is left after that was left behind.
_LIFETIME = 1800

#: Seconds for anything that Postfix is waited for.
_PATIENCE = 300.0

#: The folders of the queue that only Postfix looks into.
_OWN = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("private", "saved", "trace"),
)


def missing() -> str:
    """Why there can be no Postfix here, or nothing."""
    if shutil.which("postfix") is None:
        return "needs the Debian package postfix"
    return "" if os.geteuid() == 0 else "needs root: nobody else can start Postfix"


class Postfix:
    """A context manager: Postfix listens on `port` inside, and relays everything to a server.

    What it notes down last is printed, for the case that a test fails.
    """

    def __init__(self, *, relay_to: int) -> None:
        self._relay_to = relay_to
        self._settings: Mapping[str, str] = {}
        self._files = ExitStack()
        # Postfix has to be told a port, and listens on it again and again: nobody may have it
        # meanwhile, not even for the far end of a connection.
        held = self._files.enter_context(held_port("127.0.0.1"))
        self.port = int(held.getsockname()[1])
        self._folder = Path()
        self._master: int | None = None

    def __enter__(self) -> Self:
        # Not in pytest's folders: nobody but root may look into them, and Postfix's daemons are
        # not root for long.
        self._folder = Path(self._files.enter_context(TemporaryDirectory(prefix="postfix-")))
        self._folder.chmod(0o755)
        try:
            self._make_folders()
            self.write("master.cf", MASTER.format(port=self.port))
            self._write_main()
            self.start()
        except BaseException:
            self._files.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._files:
            self.stop()
            sys.stdout.write("\n".join(self.log()[-15:]))

    @property
    def _config(self) -> Path:
        return self._folder / "config"

    @property
    def _queue(self) -> Path:
        return self._folder / "queue"

    def write(self, name: str, text: str) -> None:
        """A file among the configuration, such as a table; it is read when Postfix starts."""
        path = self._config / name
        path.write_text(text, encoding="utf-8")
        # Postfix waits a second or two for whoever may still be writing a file that is new.
        os.utime(path, (0, 0))

    def start(self) -> None:
        """Start, and come back when it listens."""
        daemons = _run("postconf", "-c", self._config, "-h", "daemon_directory")
        _run(f"{daemons}/master", "-c", self._config, "-e", str(_LIFETIME), "-w")
        self._master = int((self._queue / "pid" / "master.pid").read_text())

    def stop(self) -> None:
        """Stop at once, whatever is under way, and come back when nobody listens any more."""
        if self._master is None:
            return
        master, self._master = self._master, None
        ended = os.pidfd_open(master)
        os.kill(master, signal.SIGTERM)  # It passes the signal on to all its children.
        if not select.select([ended], [], [], _PATIENCE)[0]:
            os.killpg(master, signal.SIGKILL)
        os.close(ended)
        until(lambda: _is_free(self.port), "Postfix has ended")

    def start_anew(self) -> None:
        """Stop and start, and forget nothing that was taken."""
        self.stop()
        self.start()

    def become(self, **settings: str) -> None:
        """Start anew with these settings of main.cf (postconf(5)), those before forgotten.

        FOLDER in them is where `write` puts files.
        """
        self.stop()
        self._settings = settings
        self._write_main()
        self.start()

    def wait_until_delivered(self) -> None:
        """Come back when its queue is empty: whatever it took has gone on to the server."""
        until(lambda: not self.queued(), f"Postfix has delivered {self.queued()}")

    def queued(self) -> list[str]:
        """The messages that it has taken responsibility for.

        A file of the queue is one when it can be "executed": without that it is half a message,
        whose sender has been told nothing, and Postfix passes over it, too.
        """
        # In the order in which messages move on, so that none is overlooked; and those that moved
        # back meanwhile.
        folders = ("maildrop", "deferred", "incoming", "active", "deferred", "corrupt", "hold")
        files = (path for name in folders for path in (self._queue / name).rglob("*"))
        return [path.name for path in files if _is_whole(path)]

    def log(self) -> list[str]:
        """What it has noted down so far, line by line."""
        try:
            return (self._folder / "log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _make_folders(self) -> None:
        """What `postfix check` would make, in half a second."""
        for path in (self._config, self._queue, self._queue / "pid"):
            path.mkdir()
        for name in _OWN:
            _make(self._queue / name, 0o700)
        _make(self._queue / "public", 0o710, group="postdrop")
        _make(self._queue / "maildrop", 0o730, group="postdrop")
        _make(self._folder / "data", 0o700)

    def _write_main(self) -> None:
        settings = {
            "queue_directory": f"{self._queue}",
            "data_directory": f"{self._folder}/data",
            "maillog_file": f"{self._folder}/log",
            "maillog_file_prefixes": f"{self._folder}",
            "relayhost": f"[127.0.0.1]:{self._relay_to}",
            **MAIN,
            **self._settings,
        }
        lines = (f"{name} = {value}\n" for name, value in settings.items())
        self.write("main.cf", "".join(lines).replace("FOLDER", str(self._config)))


def _make(path: Path, mode: int, *, group: str | None = None) -> None:
    path.mkdir()
    path.chmod(mode)
    shutil.chown(path, "postfix", group)


def _is_whole(path: Path) -> bool:
    """Whether it is a message, and not a folder, half a message, or one that has just gone on."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


def until(holds: Callable[[], bool], what: str) -> None:
    """Come back as soon as it holds, and fail where that takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE:g} s in vain until {what}")
        time.sleep(0.01)


def _run(*words: str | Path) -> str:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr or done.stdout}")
    return done.stdout.strip()


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
