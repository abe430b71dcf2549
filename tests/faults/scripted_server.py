"""An SMTP server whose every reply, delay, split and disconnect can be scripted.

It is honest: it speaks RFC 5321, refuses commands out of order, and keeps the `Books`.

    async with ScriptedServer(script) as server:
        ...  # server.port, server.accepted, server.connections

Nothing here sleeps. A server that hangs reads on, without a word, until the client has gone, and
one that is late waits for an event (`Late`).
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from digest.sender import event_loop
from tests.faults.books import Books, Transcript
from tests.faults.conversation import Conversation, Gone
from tests.faults.manners import OFFERED, Manners
from tests.faults.script import Script, honest

#: Seconds. A deadline for what hangs, and nothing that a slow machine would come to.
PATIENCE = 300.0


class ScriptedServer(Books):
    """Listens on a free loopback port while it is open (`async with`, or `serving`).

    The other arguments are its `Manners`.
    """

    def __init__(
        self,
        script: Script = honest,
        *,
        extensions: tuple[str, ...] = OFFERED,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        per_connection: int | None = None,
        accepts_nobody_late: bool = False,
        pieces: int | None = None,
        merge: bool = False,
    ) -> None:
        super().__init__()
        self.manners = Manners(
            script=script,
            extensions=extensions,
            starttls=starttls,
            per_connection=per_connection,
            accepts_nobody_late=accepts_nobody_late,
            pieces=pieces,
            merge=merge,
        )
        self.host = "127.0.0.1"
        self.port = 0
        self._held: socket.socket | None = None
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._held = held_port(self.host)
        self.port = self._held.getsockname()[1]
        await self.listen()
        return self

    async def listen(self) -> None:
        """Accept connections; after `stop_listening` again, on the same port."""
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, ssl=self._tls
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()

    def stop_listening(self) -> None:
        """Refuse new connections from now on; those that stand go on, and nobody has the port."""
        if self._server is not None:
            self._server.close()

    async def everybody_left(self) -> None:
        """Wait until no connection is left: what a dead client had written has been read."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self, farewell: bytes = b"") -> None:
        """Close every connection, wherever it is, after a last word to it."""
        for writer in tuple(self._writers):
            writer.write(farewell)
            writer.close()

    def from_outside(self, call: Callable[[], object]) -> None:
        """Do something in the server's own thread, such as `event.set`, and wait until it is done.

        The call may give back an awaitable, which is waited for, too.
        """
        running = self._loop
        if running is None:
            raise RuntimeError("the scripted server is not open")

        async def done() -> None:
            result: Any = call()
            if asyncio.iscoroutine(result):
                await result

        asyncio.run_coroutine_threadsafe(done(), running).result(PATIENCE)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        transcript = Transcript(number=len(self.connections) + 1)
        self.connections.append(transcript)
        self._writers.add(writer)
        conversation = Conversation(self.manners, self, reader, writer, transcript)
        try:
            await conversation.run()
        except (Gone, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            pass  # The test is over; asyncio's streams would log it.
        finally:
            conversation.book_the_end()
            self._writers.discard(writer)
            writer.transport.abort()


def held_port(host: str) -> socket.socket:
    """A free port: connections to it are refused, and it is nobody else's until this is closed.

    Only who asks for this very port may listen on it beside us, with SO_REUSEADDR as servers do.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((host, 0))
    return held


@contextmanager
def serving(server: ScriptedServer) -> Iterator[ScriptedServer]:
    """The same server in a thread of its own, for code that runs an event loop itself."""
    ready = threading.Event()
    done = asyncio.Event()

    async def stay() -> None:
        async with server:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: event_loop.run(stay()), daemon=True)
    thread.start()
    if not ready.wait(PATIENCE):
        raise RuntimeError("the scripted server did not start")
    try:
        yield server
    finally:
        server.from_outside(done.set)
        thread.join(PATIENCE)
