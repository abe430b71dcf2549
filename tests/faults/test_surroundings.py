"""What fails around us: encryption, names, the disk, the database; with 10,000 readers."""

import errno
import resource
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digest.errors import DatabaseBusy
from digest.publishing.delivery import queue
from digest.publishing.delivery import run as publishing_round
from digest.publishing.delivery.run import Report
from digest.publishing.send import send
from digest.sender.factory import transport_for
from digest.storage.database import Database, open_database
from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, DEADLINE, READERS, Gazette, Target
from tests.faults.script import Action, Leave, Moment, Say, Stage, once
from tests.faults.scripted_server import ScriptedServer, serving

pytestmark = pytest.mark.slow

#: Octets that the journal has about one message, at least.
LINES = len("begun 1\nsent 1 250 2.0.0 taken\n")

CERTIFICATES = Path(__file__).parents[1] / "sender" / "certificates"
WITHOUT_DNS = Path(__file__).with_name("without_dns.py")


def test_encryption_that_breaks_off_costs_nobody_the_edition(gazette: Gazette) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")

    def script(moment: Moment) -> Action | None:
        n = moment.nth
        match moment.stage:
            case Stage.STARTTLS if n == 1 or n % 5 == 0:
                return Say("220 2.0.0 go ahead", leave=True)
            case Stage.STARTTLS if n % 5 == 3:
                return Say(b"220 2.0.0 go ahead\r\nbut this is no TLS\r\n", leave=True)
            case Stage.BODY if n % 200 == 100:
                return Leave(after=50)
            case Stage.DOT if n % 200 == 0:
                return Leave(accept=n % 400 == 0)
            case _:
                return None

    with serving(ScriptedServer(script, starttls=context)) as server:
        gazette.at(
            server,
            DIGEST_SMTP__HOST="localhost",
            DIGEST_SMTP__SECURITY="starttls",
            SSL_CERT_FILE=str(CERTIFICATES / "authority.pem"),
        )
        ended = gazette.digest("send", codes=(5,))
        assert "TLS" in ended.complained
        assert set(gazette.states().values()) == {"queued"}
        gazette.digest("send", codes=(5,))
        gazette.resumed_until_nobody_waits()
    assert len(set(server.unreceipted)) == 49
    assert server.counts[Stage.STARTTLS] > 100
    assert_accounts_balance(gazette, server)


def test_names_that_cannot_be_looked_up_cost_nobody_the_edition(
    gazette: Gazette, tmp_path: Path
) -> None:
    no_dns = tmp_path / "no dns"

    def lose_every_connection() -> Leave:
        no_dns.touch()
        server.drop()
        return Leave()

    server = ScriptedServer(once(Stage.MAIL, 3_000, lose_every_connection))
    gazette.launcher = (str(WITHOUT_DNS),)
    with serving(server):
        gazette.at(server, DIGEST_SMTP__HOST="relay.example", NO_DNS_WHILE=str(no_dns))
        no_dns.touch()
        ended = gazette.digest("send", codes=(5,))
        assert "relay.example is not known" in ended.complained
        assert set(gazette.states().values()) == {"queued"}
        no_dns.unlink()

        gazette.digest("send", codes=(5,))
        assert 2_900 < len(server.accepted) < 3_000
        no_dns.unlink()
        gazette.digest("send", codes=(0, 5))
    assert len(server.accepted) >= READERS - len(server.broken_off)
    assert_accounts_balance(gazette, server)


#: Seconds that a statement waits for the database here; 10 outside of these tests.
SHORTLY = 0.1

#: So many of these are 30 seconds.
TIMES = 3


def test_a_database_that_is_locked_before_the_send_is_an_error_and_nobody_is_mailed(
    gazette: Gazette, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(open_database, busy_timeout=SHORTLY)
    monkeypatch.setattr(publishing_round, "open_database", impatient)
    with serving(ScriptedServer()) as server:
        gazette.at(server)
        with closing(sqlite3.connect(gazette.database, isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(DatabaseBusy, match="locked by another process"):
                _sent_from_here(gazette)
            other.execute("commit")
        assert server.connections == []
        gazette.digest("send")
    assert_accounts_balance(gazette, server)


def test_a_database_that_is_locked_for_30_seconds_holds_the_sender_up_and_no_more(
    gazette: Gazette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock outlives three times what a statement waits, and goes when that has been seen."""
    served = threading.Event()
    locked = threading.Event()
    tried_in_vain = threading.Semaphore(0)

    @contextmanager
    def impatient(path: Path) -> Iterator[Database]:
        def watch(statement: str) -> None:
            if locked.is_set() and statement == "begin immediate":
                tried_in_vain.release()

        with open_database(path, busy_timeout=SHORTLY) as db:
            db.connection.set_trace_callback(watch)
            yield db

    def keep_locked() -> None:
        assert served.wait(DEADLINE)
        other = sqlite3.connect(gazette.database, timeout=DEADLINE, isolation_level=None)
        with closing(other):
            other.execute("begin immediate")
            before.append(len(server.accepted))
            locked.set()
            # Each try but the first begins when the one before it has waited for nothing.
            seen.extend(tried_in_vain.acquire(timeout=DEADLINE) for _ in range(1 + TIMES))
            at_most.append(len(server.accepted))
            locked.clear()
            other.execute("commit")

    seen: list[bool] = []
    before: list[int] = []
    at_most: list[int] = []
    monkeypatch.setattr(queue, "open_database", impatient)
    locker = threading.Thread(target=keep_locked)
    with serving(ScriptedServer(once(Stage.DOT, 3_000, served.set))) as server:
        gazette.at(server)
        locker.start()
        report = _sent_from_here(gazette)
        locker.join(DEADLINE)
    assert seen == [True] * (1 + TIMES)
    assert isinstance(report, Report)
    assert report.error is None
    assert report.complete
    # What was claimed before the lock was sent meanwhile, and nothing else.
    assert at_most[0] <= before[0] + queue.MOST
    assert_accounts_balance(gazette, server)


def _sent_from_here(gazette: Gazette) -> object:
    """`digest send`, in this process."""
    settings = gazette.settings
    return send(
        settings,
        settings.newsletter(None),
        transport_for(settings),
        now=datetime.now(UTC),
        clock=lambda: datetime.now(UTC),
        progress=lambda _plan: lambda _state: None,
    )


class SizeLimit:
    """No file of the sender may grow any more: what the system says is what a full disk says."""

    def __init__(self, gazette: Gazette) -> None:
        self.gazette = gazette

    def fill(self, sender: int) -> None:
        journal = self.gazette.database.with_name("subscribers.db.sending")
        _, most = resource.prlimit(sender, resource.RLIMIT_FSIZE)
        resource.prlimit(sender, resource.RLIMIT_FSIZE, (journal.stat().st_size, most))

    def make_room(self) -> None:
        """The next process has no limit."""


class SmallDisk:
    """A file system of its own, and somebody who fills it."""

    def __init__(self, gazette: Gazette) -> None:
        self.filler = gazette.folder / "filler"

    def fill(self, _sender: int) -> None:
        with self.filler.open("wb", buffering=0) as file:
            for size in (2**16, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017

    def make_room(self) -> None:
        self.filler.unlink()


@pytest.fixture(params=[SizeLimit, SmallDisk])
def disk(
    request: pytest.FixtureRequest, stocked: Path, tmp_path: Path
) -> Iterator[tuple[Gazette, Any]]:
    """A newsletter whose disk can be full."""
    kind: Callable[[Gazette], Any] = request.param
    folder = tmp_path / "disk"
    folder.mkdir()
    if kind is SmallDisk:
        command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        gazette = Gazette.copied(stocked, folder)
        yield gazette, kind(gazette)
    finally:
        if kind is SmallDisk:
            # Lazily: somebody who looks at all the disks of a machine must not keep it.
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(disk: tuple[Gazette, Any]) -> None:
    gazette, trouble = disk
    target = Target()
    script = once(Stage.DOT, 3_000, lambda: trouble.fill(target.pid))
    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with gazette.running("send") as sender:
            ended = target.aim(sender).ended()
        assert ended.code in (1, 5)
        assert "Make room" in ended.complained or "free space" in ended.complained
        # Whatever cannot be put on record does not leave. The journal's last page had some room.
        assert len(server.accepted) <= 3_000 + CONNECTIONS + resource.getpagesize() // LINES
        trouble.make_room()
        gazette.digest("send", codes=(0, 5))
    assert_accounts_balance(gazette, server, deaths=1)
