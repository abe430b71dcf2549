"""What is surely not sent although the write that ends with the final dot was begun.

"Deferred" is a promise: the server never saw the dot, so the message may go out again. It is held
against servers that read as much as they like and then leave, on both event loops.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.config.settings import Security, SmtpSettings
from digest.model.delivery import Accepted, Deferred, Unknown
from digest.sender.message_data import Envelope
from digest.sender.smtp import SmtpTransport
from tests.faults.script import Action, Leave, Moment, Stage, Stall, always
from tests.faults.scripted_server import ScriptedServer
from tests.sender.silence import in_time

Settings = Callable[..., SmtpSettings]
Run = Callable[[Coroutine[Any, Any, None]], None]
ADA = Envelope(mail_from="news@example.org", rcpt_to="ada@example.com")
UNLIMITED = ("PIPELINING", "8BITMIME")
LINES = (b"x" * 70 + b"\r\n") * 100
CERTIFICATES = Path(__file__).parent / "certificates"

#: More than the buffers of the system hold, at both ends together.
HUGE = 40_000_000


def message_of(octets: int) -> list[bytes]:
    """In more pieces than a system takes at a time, where it is large."""
    return [LINES] * (octets // len(LINES) + 1)


@pytest.mark.parametrize("action", [Leave(after=500_000), Stall()])
def test_a_server_that_stops_reading_and_cuts_the_line_surely_does_not_have_it(
    run: Run, settings: Settings, action: Action
) -> None:
    async def main(timeout: float) -> None:
        commits: list[str] = []
        script = always({Stage.BODY: action})
        async with ScriptedServer(script, extensions=UNLIMITED) as server:
            async with SmtpTransport(settings(server.port, timeout=timeout)) as transport:
                outcome = await transport.send(
                    ADA, message_of(HUGE), before_commit=lambda: commits.append("dot")
                )
            assert isinstance(outcome, Deferred)
            assert outcome.reason.endswith(", in the middle of the message")
            assert commits == ["dot"]
            assert server.counts[Stage.DOT] == 0

    in_time(run, main, action)


def test_a_server_that_has_read_everything_may_have_it(run: Run, settings: Settings) -> None:
    async def main() -> None:
        script = always({Stage.DOT: Leave()})
        async with (
            ScriptedServer(script, extensions=UNLIMITED) as server,
            SmtpTransport(settings(server.port)) as transport,
        ):
            outcome = await transport.send(ADA, message_of(HUGE))
        assert isinstance(outcome, Unknown)

    run(main())


def test_behind_tls_nobody_can_tell(run: Run, settings: Settings, trusted: ssl.SSLContext) -> None:
    async def main() -> None:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(CERTIFICATES / "server.pem")
        script = always({Stage.BODY: Leave(after=500_000)})
        async with ScriptedServer(script, extensions=UNLIMITED, tls=ours) as server:
            relay = settings(server.port, host="localhost", security=Security.TLS)
            async with SmtpTransport(relay, tls=trusted) as transport:
                outcome = await transport.send(ADA, message_of(HUGE))
            assert isinstance(outcome, Unknown)
            assert server.counts[Stage.DOT] == 0

    run(main())


@hypothesis_settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    octets=st.integers(100, 9_000_000),
    read=st.floats(0, 1),
    at_the_dot=st.booleans(),
)
def test_deferred_is_never_said_of_a_message_that_arrived(
    run: Run, settings: Settings, octets: int, read: float, *, at_the_dot: bool
) -> None:
    message = message_of(octets)

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.BODY and not at_the_dot:
            return Leave(after=int(len(message) * len(LINES) * read))
        return Leave(accept=True) if moment.stage is Stage.DOT else None

    async def main() -> None:
        async with ScriptedServer(script, extensions=UNLIMITED) as server:
            async with SmtpTransport(settings(server.port)) as transport:
                outcome = await transport.send(ADA, message)
            assert isinstance(outcome, Deferred | Unknown)
            if server.accepted:
                assert isinstance(outcome, Unknown)

    run(main())


class RawServer:
    """A server of bare hands: it reads and writes exactly when the test says so."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.received = bytearray()

    async def accept(self) -> None:
        loop = asyncio.get_running_loop()
        self.line, _ = await loop.sock_accept(self._listener)
        self.line.setblocking(False)
        self.say(b"220 raw.example\r\n")
        while b"EHLO" not in self.received:
            self.received += await loop.sock_recv(self.line, 1000)
        self.say(b"250-raw.example\r\n250 PIPELINING\r\n")
        while b"DATA\r\n" not in self.received:
            self.received += await loop.sock_recv(self.line, 1000)
        self.received.clear()

    def say(self, octets: bytes) -> None:
        self.line.send(octets)

    def read_what_is_there(self) -> int:
        """Without giving the event loop a turn."""
        before = len(self.received)
        while True:
            try:
                octets = self.line.recv(2**20)
            except BlockingIOError:
                return len(self.received) - before
            except ConnectionResetError:
                return 0
            if not octets:
                return 0
            self.received += octets

    def close(self) -> None:
        self.line.close()
        self._listener.close()


def test_octets_that_leave_while_the_connection_is_being_dropped_are_counted(
    run: Run, settings: Settings
) -> None:
    # uvloop flushes what it can in the very turn in which we give the connection up: a server that
    # talks nonsense and makes room at one moment gets the rest of the message, dot and all.
    async def main() -> None:
        server = RawServer()
        handshake = asyncio.create_task(server.accept())
        message = message_of(4_500_000)
        reached = asyncio.Event()
        async with SmtpTransport(settings(server.port)) as transport:
            sending = asyncio.create_task(transport.send(ADA, message, before_commit=reached.set))
            await handshake
            server.say(b"250 fine\r\n250 fine\r\n354 go ahead\r\n")
            await reached.wait()
            for _ in range(5):
                await asyncio.sleep(0)
            server.say(b"what is this\r\n")
            while server.read_what_is_there():
                pass
            outcome = await sending
        while server.read_what_is_there():
            pass
        server.close()
        if server.received.endswith(b"\r\n.\r\n"):
            assert isinstance(outcome, Unknown)
        else:
            assert isinstance(outcome, Deferred)

    run(main())


def test_a_slow_server_that_takes_it_in_the_end_has_it(run: Run, settings: Settings) -> None:
    async def main() -> None:
        async with (
            ScriptedServer(extensions=UNLIMITED) as server,
            SmtpTransport(settings(server.port)) as transport,
        ):
            outcome = await transport.send(ADA, message_of(12_000_000))
            again = await transport.send(ADA, b"Subject: small\r\n\r\n")
            assert isinstance(outcome, Accepted)
            assert isinstance(again, Accepted)
            assert len(server.connections) == 1

    run(main())
