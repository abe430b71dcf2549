"""A real `digest run`: what systemd and a monitor see of it, and new settings while it runs."""

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.gazette import Gazette, Target, stock
from tests.faults.script import Hang, Moment, Stage
from tests.faults.scripted_server import ScriptedServer, held_port, serving
from tests.faults.service import make_due, running

pytestmark = pytest.mark.slow


@pytest.fixture
def gazette(tmp_path: Path) -> Gazette:
    stock(tmp_path, readers=3)
    return Gazette(tmp_path)


def test_systemd_hears_that_it_is_up_that_it_lives_and_that_it_ends(
    gazette: Gazette, systemd: socket.socket
) -> None:
    heard: list[str] = []
    address = str(systemd.getsockname())
    with running(gazette, NOTIFY_SOCKET=address, WATCHDOG_USEC="400000") as service:
        service.until("leading")
        while heard.count("WATCHDOG=1") < 3:
            heard.append(systemd.recv(200).decode())
        service.process.terminate()
        while "STOPPING=1" not in heard:
            heard.append(systemd.recv(200).decode())
        assert service.code() == 0
    told = [message for message in heard if message != "WATCHDOG=1"]
    assert told == ["STATUS=active", "READY=1", "STOPPING=1"]


def test_settings_are_read_anew_and_a_file_with_a_problem_is_refused(gazette: Gazette) -> None:
    config = gazette.folder / "digest.toml"
    good = config.read_text(encoding="utf-8")
    with running(gazette) as service:
        service.until("leading")
        config.write_text(good + 'scedule = "daily at 07:00"\n', encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        refused = service.until("reload-refused")
        assert "newsletters.daily.scedule" in refused["message"]
        config.write_text(good + 'schedule = "daily at 07:00"\n', encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        assert service.until("reloaded")["newsletters"] == 1
        service.process.terminate()
        assert service.code() == 0


def test_both_services_have_a_page_when_each_has_a_port(gazette: Gazette) -> None:
    def page(port: int, path: str) -> str:
        # Nobody's proxy, whatever the environment says.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
            return str(reply.read().decode())

    with (
        two_free_ports() as ports,
        running(gazette, DIGEST_SERVICE__PORT=str(ports[0])) as first,
    ):
        first.until("leading")
        with running(gazette, DIGEST_SERVICE__PORT=str(ports[1])) as second:
            second.until("standing-by")
            told = json.loads(page(ports[1], "/healthz"))
            assert (told["role"], told["lease"]["pid"]) == ("standing by", first.pid)
            assert json.loads(page(ports[0], "/healthz"))["role"] == "leading"
            assert "digest_leading 0" in page(ports[1], "/metrics")
            assert "digest_leading 1" in page(ports[0], "/metrics")


def test_a_second_signal_is_obeyed_at_once_and_what_is_in_doubt_is_unknown(
    gazette: Gazette,
) -> None:
    make_due(gazette)
    target = Target()

    def script(moment: Moment) -> Hang | None:
        if moment.stage is not Stage.DOT:
            return None
        if moment.nth == 3:
            target.hit(signal.SIGTERM)
        return Hang()

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with running(gazette) as service:
            target.aim(service.sender)
            service.until("ending")
            service.process.terminate()
            assert service.code() == 5
            assert service.until("ended")["drained"] is False
    assert set(gazette.states().values()) == {"unknown"}


@contextmanager
def two_free_ports() -> Iterator[list[int]]:
    """Two ports that nobody is given meanwhile, and that a server may listen on."""
    with held_port("127.0.0.1") as one, held_port("127.0.0.1") as other:
        yield [one.getsockname()[1], other.getsockname()[1]]
