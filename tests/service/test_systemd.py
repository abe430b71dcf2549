"""What systemd hears, on a real socket, and when it hears nothing."""

import os
import socket
import threading

import pytest

from digest.service.state import Heartbeat
from digest.service.systemd import Supervisor, Watchdog


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_message_is_a_datagram(systemd: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": systemd.getsockname()})
    supervisor.ready()
    supervisor.status("standing by:\nheld by process 7")
    supervisor.stopping()
    assert [systemd.recv(200) for _ in range(3)] == [
        b"READY=1",
        b"STATUS=standing by: held by process 7",
        b"STOPPING=1",
    ]


def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0digest-test-{os.getpid()}")
        listening.settimeout(60)
        Supervisor({"NOTIFY_SOCKET": f"@digest-test-{os.getpid()}"}).ready()
        assert listening.recv(200) == b"READY=1"


def test_a_supervisor_that_is_busy_is_waited_for_a_while(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.service.systemd._TIMEOUT", 60.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others:
        others.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                others.sendto(b"WATCHDOG=1", systemd.getsockname())
    supervisor = Supervisor({"NOTIFY_SOCKET": systemd.getsockname()})
    telling = threading.Thread(target=supervisor.ready)
    telling.start()
    telling.join(0.1)  # who does not wait is through by now
    while systemd.recv(200) != b"READY=1":
        pass
    telling.join()


@pytest.mark.parametrize("name", ["", "/nowhere/at/all", "vsock:2:1234"])
def test_nobody_who_listens_is_no_trouble(name: str) -> None:
    Supervisor({"NOTIFY_SOCKET": name}).ready()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_the_interval_of_the_watchdog_is_ours_alone(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert Supervisor(environ).watchdog == seconds


def test_a_main_loop_that_lives_is_told_of_at_half_the_interval(systemd: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "20000"})
    heartbeat = Heartbeat()
    heartbeat.beat(60)
    with Watchdog(supervisor, heartbeat):
        assert [systemd.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3


def test_a_main_loop_that_hangs_is_not_told_of(systemd: socket.socket) -> None:
    supervisor = Supervisor({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "2000"})
    clock = HandClock()
    heartbeat = Heartbeat(clock)
    heartbeat.beat(60)
    clock.now += 61
    with Watchdog(supervisor, heartbeat):
        supervisor.ready()
        assert systemd.recv(200) == b"READY=1"
        systemd.settimeout(0.1)
        with pytest.raises(TimeoutError):
            systemd.recv(200)


def test_a_heartbeat_lasts_as_long_as_it_said() -> None:
    clock = HandClock()
    heartbeat = Heartbeat(clock)
    assert heartbeat.since_tick is None
    heartbeat.beat(5)
    clock.now += 5
    at_last = heartbeat.alive
    clock.now += 0.1
    assert (at_last, heartbeat.alive) == (True, False)
    heartbeat.ticked()
    clock.now += 3
    assert heartbeat.since_tick == pytest.approx(3)
