"""Ctrl-C and SIGTERM in a real `digest send`, at a moment that the server chooses."""

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.sender.local_server import LocalServer, ReceivedMessage
from tests.faults.gazette import DEADLINE

CONFIG = """
[site]
name = "Gazette"
url = "https://gazette.example"
postal_address = "1 Quay"

[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = 2
timeout = "10m"

[newsletters.daily]
title = "Gazette"
from = "Gazette <tide@gazette.example>"
"""

READERS = [f"reader-{n}@example.com" for n in range(12)]


class Gate:
    """A server that stops at a certain message, tells the test, and waits to be let on."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.reached = threading.Event()
        self.open = threading.Event()
        self._lock = threading.Lock()
        self._seen = 0

    def __call__(self, received: ReceivedMessage) -> None:
        with self._lock:
            self._seen += 1
            stops_here = self._seen == self.at
        if stops_here:
            self.reached.set()
            self.open.wait(DEADLINE)


@pytest.fixture
def gate() -> Gate:
    return Gate(at=3)


@pytest.fixture
def server(gate: Gate) -> Iterator[LocalServer]:
    with LocalServer(on_message=gate) as running:
        yield running
        gate.open.set()


@pytest.fixture
def folder(tmp_path: Path, server: LocalServer) -> Path:
    (tmp_path / "digest.toml").write_text(CONFIG.format(port=server.port), encoding="utf-8")
    (tmp_path / "readers.csv").write_text("\n".join(["email", *READERS]), encoding="utf-8")
    run(tmp_path, "articles", "add", "Ferry runs again", "https://gazette.example/ferry")
    run(tmp_path, "subscribers", "import", "readers.csv")
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "digest", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE,
        check=False,
    )


@contextmanager
def sending(folder: Path, gate: Gate) -> Iterator[subprocess.Popen[str]]:
    """A `digest send` that has come as far as the gate. It does not outlive the test."""
    with subprocess.Popen(
        [sys.executable, "-m", "digest", "send"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert gate.reached.wait(DEADLINE)
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def arrived(server: LocalServer) -> Counter[str]:
    return Counter(message.rcpt_to[0] for message in server.messages)


def listed(folder: Path) -> dict[str, str]:
    """Everybody who does not surely have it, by state, as `status` says."""
    shown = json.loads(run(folder, "status", "--json").stdout)
    return {reader["email"]: reader["state"] for reader in shown["editions"][0]["unfinished"]}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_in_order_and_leaves_nothing_unknown(
    folder: Path, server: LocalServer, gate: Gate, sent: signal.Signals
) -> None:
    with sending(folder, gate) as process:
        process.send_signal(sent)
        # The program has taken the signal when it says so; only then the server goes on.
        assert "stopping" in next_line(process)
        gate.open.set()
        assert process.wait(DEADLINE) == 5
    left = listed(folder)
    assert set(left.values()) == {"queued"}
    assert set(left) | set(arrived(server)) == set(READERS)
    assert run(folder, "send").returncode == 0
    assert arrived(server) == Counter(READERS)
    assert run(folder, "audit").returncode == 0


def test_a_second_signal_ends_at_once_and_what_is_in_doubt_is_listed(
    folder: Path, server: LocalServer, gate: Gate
) -> None:
    with sending(folder, gate) as process:
        process.send_signal(signal.SIGINT)
        assert "stopping" in next_line(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 5
        assert "stopped at once" in next_line(process)
    gate.open.set()
    left = listed(folder)
    unknown = {email for email, state in left.items() if state == "unknown"}
    assert len(unknown) <= 2
    run(folder, "send")
    counts = arrived(server)
    assert set(counts.values()) == {1}
    assert set(READERS) - set(counts) <= unknown
    assert run(folder, "audit").returncode == 0


def test_after_a_kill_every_reader_is_served_once_or_listed(
    folder: Path, server: LocalServer, gate: Gate
) -> None:
    with sending(folder, gate) as process:
        process.kill()
    gate.open.set()
    run(folder, "send")
    unknown = {email for email, state in listed(folder).items() if state == "unknown"}
    counts = arrived(server)
    assert set(counts.values()) == {1}
    assert set(READERS) - set(counts) <= unknown
    assert len(unknown) <= 2
    assert run(folder, "audit").returncode == 0
