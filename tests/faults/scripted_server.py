"""An SMTP server whose every reply, delay, split and disconnect can be scripted.

It is honest: it speaks RFC 5321, refuses commands out of order, and keeps the books, which the
ledger of a sender is compared with: `accepted` holds each message that it has taken responsibility
for, and `refused`, `unreceipted` and `broken_off` those whom it did not serve, by reason. A
*script* is a function that is asked at each `Moment` and answers with an action, or with None for
the honest default:

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.RCPT and moment.nth % 10 == 0:
            return Say("451 4.3.0 come back later")
        return None

    async with ScriptedServer(script) as server:
        ...  # server.port, server.accepted, server.connections

Nothing here sleeps. A server that hangs reads on, without a word, until the client has gone, and
one that is late waits for an event (`Late`).
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from digest.sender import loop

OFFERED = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 10485760")
PLAIN = ("8BITMIME", "SIZE 10485760")


class Stage(StrEnum):
    """Where a connection is when the script is asked: at a command, or at these three moments."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RSET = "RSET"
    NOOP = "NOOP"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    #: The go-ahead has been given, nothing of the message has been read.
    BODY = "body"
    #: The final dot has been read.
    DOT = "final dot"
    QUIT = "QUIT"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When the script is asked.

    `argument` is the command's line, or the message at the final dot. `connection` counts from 1.
    `nth` counts how often this stage was reached on all connections together, `served` how many
    final dots this connection has had before.
    """

    stage: Stage
    argument: bytes
    connection: int
    nth: int
    served: int


@dataclass(frozen=True)
class Say:
    """Send this reply. Lines are separated by \\n; a str gets its CRLF, bytes go out as they are.

    2yz to the final dot means that the message is accepted. `pieces` is the number of octets that
    go out at a time; `leave` closes the connection afterwards. `endless` says that it is too long
    for a client to hear it out.
    """

    reply: str | bytes
    pieces: int | None = None
    leave: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Hang:
    """Never answer: read on until the client closes. `accept` takes the message at the dot."""

    accept: bool = False


@dataclass(frozen=True)
class Stall:
    """Never answer, and read nothing more either: the client's buffers fill up."""


@dataclass(frozen=True)
class Leave:
    """Close without a word, `after` so many octets of the body where the stage is BODY.

    `accept` takes the message at the final dot and says nothing about it.
    """

    after: int = 0
    accept: bool = False


@dataclass(frozen=True)
class Late:
    """Do this, but only once `event` is set: by the script, or from outside by `set`."""

    action: Say | Leave
    event: asyncio.Event


#: The commands that change nothing, or nothing but the transaction.
_SIMPLE = {
    b"HELO": (Stage.HELO, Say("250 scripted.example")),
    b"RSET": (Stage.RSET, Say("250 2.0.0 forgotten")),
    b"NOOP": (Stage.NOOP, Say("250 2.0.0 nothing done")),
    b"QUIT": (Stage.QUIT, Say("221 2.0.0 farewell", leave=True)),
}

Action = Say | Hang | Stall | Leave | Late
Script = Callable[[Moment], Action | None]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that the server took responsibility for, its dots unstuffed."""

    mail: bytes
    rcpt: bytes
    content: bytes
    connection: int

    @property
    def reader(self) -> str:
        """The address of RCPT."""
        return _address(self.rcpt)


@dataclass
class Transcript:
    """What one connection saw: the commands in order, and the final dots."""

    number: int
    commands: list[bytes] = field(default_factory=list)
    dots: int = 0


def always(actions: Mapping[Stage, Action]) -> Script:
    """The script that does the same thing at a stage each time."""
    return lambda moment: actions.get(moment.stage)


def honest(moment: Moment) -> Action | None:
    """The script of a server without a fault."""
    del moment
    return None


def once(stage: Stage, nth: int, do: Callable[[], Action | None]) -> Script:
    """The script that does something when a stage is reached for the nth time."""
    return lambda moment: do() if (moment.stage, moment.nth) == (stage, nth) else None


class ScriptedServer:
    """Listens on a free loopback port while it is open (`async with`, or `serving`).

    `accepts_nobody_late` answers DATA with 354 although no recipient was accepted, as RFC 2920
    allows, and refuses at the final dot. `per_connection` says 421 instead of taking one more
    message. `pieces` splits every reply that a script does not split itself; `merge` holds the
    replies to RSET, MAIL and RCPT back until DATA is there, as RFC 2920 allows, so that a client
    which does not pipeline is never answered.
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
        self.script = script
        self.extensions = extensions
        self.starttls = starttls
        self.per_connection = per_connection
        self.accepts_nobody_late = accepts_nobody_late
        self.pieces = pieces
        self.merge = merge
        self.accepted: list[Message] = []
        self.connections: list[Transcript] = []
        self.counts: dict[Stage, int] = dict.fromkeys(Stage, 0)
        #: Readers who were refused for good, at RCPT or after their message.
        self.refused: list[str] = []
        #: Readers whose final dot was read and never answered, or with what is no answer.
        self.unreceipted: list[str] = []
        #: Readers whose message was begun, and whose connection ended before the dot.
        self.broken_off: list[str] = []
        self.host = "127.0.0.1"
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def readers(self) -> list[str]:
        """The readers of the accepted messages, in order."""
        return [message.reader for message in self.accepted]

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self.listen()
        return self

    async def listen(self) -> None:
        """Accept connections; after `stop_listening` again, on the same port."""
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

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

    def stop_listening(self) -> None:
        """Refuse new connections from now on; those that stand go on."""
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

        asyncio.run_coroutine_threadsafe(done(), running).result(10)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        transcript = Transcript(number=len(self.connections) + 1)
        self.connections.append(transcript)
        self._writers.add(writer)
        conversation = _Conversation(self, reader, writer, transcript)
        try:
            await conversation.run()
        except (_Gone, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            pass  # The test is over; asyncio's streams would log it.
        finally:
            conversation.book_the_end()
            self._writers.discard(writer)
            writer.transport.abort()


@contextmanager
def serving(server: ScriptedServer) -> Iterator[ScriptedServer]:
    """The same server in a thread of its own, for code that runs an event loop itself."""
    ready = threading.Event()
    done = asyncio.Event()

    async def stay() -> None:
        async with server:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run(stay()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the scripted server did not start")
    try:
        yield server
    finally:
        server.from_outside(done.set)
        thread.join(10)


class _Gone(Exception):
    """The conversation is over."""


class _Conversation:
    """One connection: reads commands, asks the script, keeps the state of the transaction."""

    def __init__(
        self,
        server: ScriptedServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        transcript: Transcript,
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._transcript = transcript
        self._encrypted = writer.get_extra_info("ssl_object") is not None
        self._mail: bytes | None = None
        self._rcpt: bytes | None = None
        self._held = b""
        self._arrived = bytearray()
        self._in_message = False

    def book_the_end(self) -> None:
        """The connection has ended. Whoever's message was under way has no receipt."""
        if self._in_message and self._rcpt is not None:
            self._server.broken_off.append(_address(self._rcpt))

    async def run(self) -> None:
        await self._act(Stage.GREETING, b"", Say("220 scripted.example ready"))
        while True:
            line = await self._line()
            self._transcript.commands.append(line)
            await self._command(line)

    async def _line(self) -> bytes:
        return (await self._until(b"\r\n")).removesuffix(b"\r\n")

    async def _until(self, mark: bytes, *, searched: int = 0) -> bytes:
        """What arrives up to the mark, and the mark."""
        while (found := self._arrived.find(mark, searched)) < 0:
            searched = max(0, len(self._arrived) - len(mark) + 1)
            await self._more()
        end = found + len(mark)
        taken = bytes(self._arrived[:end])
        del self._arrived[:end]
        return taken

    async def _more(self) -> None:
        octets = await self._reader.read(2**18)
        if not octets:
            raise _Gone
        self._arrived += octets

    async def _message(self) -> bytes:
        """The octets up to the final dot, without it, as they were before they were stuffed."""
        while len(self._arrived) < len(b".\r\n"):
            await self._more()
        if self._arrived.startswith(b".\r\n"):
            del self._arrived[: len(b".\r\n")]
            return b""
        stuffed = (await self._until(b"\r\n.\r\n")).removesuffix(b".\r\n")
        return stuffed.replace(b"\r\n.", b"\r\n").removeprefix(b".")

    async def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO", b"RSET"):
            self._mail = self._rcpt = None
        match verb:
            case b"EHLO":
                await self._act(Stage.EHLO, line, Say(self._offers()))
            case b"STAR":
                await self._start_tls(line)
            case b"AUTH":
                await self._on_auth(line)
            case b"MAIL":
                await self._on_mail(line)
            case b"RCPT":
                await self._on_rcpt(line)
            case b"DATA":
                await self._on_data(line)
            case _ if verb in _SIMPLE:
                stage, answer = _SIMPLE[verb]
                await self._act(stage, line, answer)
            case _:
                await self._perform(Say("500 5.5.2 what is that?"))

    def _offers(self) -> str:
        offers = list(self._server.extensions)
        if self._server.starttls is not None and not self._encrypted:
            offers.append("STARTTLS")
        lines = ["scripted.example", *offers]
        return "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    async def _start_tls(self, line: bytes) -> None:
        context = self._server.starttls
        if context is None:
            await self._perform(Say("502 5.5.1 no TLS here"))
            return
        await self._act(Stage.STARTTLS, line, Say("220 2.0.0 go ahead"))
        self._arrived.clear()
        await self._writer.start_tls(context)
        self._encrypted = True

    async def _on_auth(self, line: bytes) -> None:
        """Each 334 of the script asks for a line more, and then asks the script again."""
        welcome = Say("235 2.7.0 welcome")
        while await self._act(Stage.AUTH, line, welcome) == 334:
            line = await self._line()
            self._transcript.commands.append(line)

    async def _on_mail(self, line: bytes) -> None:
        limit = self._server.per_connection
        if self._mail is not None:
            await self._perform(Say("503 5.5.1 a transaction is under way"))
        elif limit is not None and self._transcript.dots >= limit:
            await self._perform(Say("421 4.7.0 enough for one connection", leave=True))
        elif (await self._act(Stage.MAIL, line, Say("250 2.1.0 sender fine"))) // 100 == 2:
            self._mail = line

    async def _on_rcpt(self, line: bytes) -> None:
        if self._mail is None:
            await self._perform(Say("503 5.5.1 MAIL first"))
            return
        code = await self._act(Stage.RCPT, line, Say("250 2.1.5 reader fine"))
        if code // 100 == 2:
            self._rcpt = line
        elif code // 100 == 5:
            self._server.refused.append(_address(line))

    async def _on_data(self, line: bytes) -> None:
        if self._rcpt is None and not (self._mail and self._server.accepts_nobody_late):
            await self._perform(Say("503 5.5.1 no valid recipients"))
            return
        if await self._act(Stage.DATA, line, Say("354 go ahead")) == 354:
            self._in_message = True
            await self._on_body()

    async def _on_body(self) -> None:
        action = self._ask(Stage.BODY, b"")
        if isinstance(action, Leave):
            while len(self._arrived) < action.after:
                await self._more()
        if action is not None:
            await self._perform(action)
        content = await self._message()
        if self._writer.is_closing():
            raise _Gone  # It was dropped meanwhile, so no receipt would arrive any more.
        self._in_message = False
        honestly = "250 2.0.0 taken" if self._rcpt else "554 5.5.1 no valid recipients"
        action = self._ask(Stage.DOT, content) or Say(honestly)
        self._transcript.dots += 1
        if self._rcpt is not None:
            self._book(action, content, _address(self._rcpt))
        self._mail = self._rcpt = None
        await self._perform(action)

    def _book(self, action: Action, content: bytes, reader: str) -> None:
        """Write down what will be done about a message that has arrived."""
        match action:
            case Late():
                self._book(action.action, content, reader)
            case Say():
                kind = _code(action.reply) // 100
                if kind == 2:
                    self._keep(content)
                elif kind == 5:
                    self._server.refused.append(reader)
                if action.endless or kind not in (2, 4, 5):
                    self._server.unreceipted.append(reader)
            case Stall():
                self._server.unreceipted.append(reader)
            case Hang() | Leave():
                self._server.unreceipted.append(reader)
                if action.accept:
                    self._keep(content)

    def _keep(self, content: bytes) -> None:
        self._server.accepted.append(
            Message(
                mail=self._mail or b"",
                rcpt=self._rcpt or b"",
                content=content,
                connection=self._transcript.number,
            )
        )

    def _ask(self, stage: Stage, argument: bytes) -> Action | None:
        self._server.counts[stage] += 1
        moment = Moment(
            stage=stage,
            argument=argument,
            connection=self._transcript.number,
            nth=self._server.counts[stage],
            served=self._transcript.dots,
        )
        return self._server.script(moment)

    async def _act(self, stage: Stage, argument: bytes, default: Say) -> int:
        """Do what the script wants at this stage; the code of what was said."""
        action = self._ask(stage, argument) or default
        merged = self._server.merge and stage in (Stage.RSET, Stage.MAIL, Stage.RCPT)
        if merged and isinstance(action, Say):
            self._held += _octets(action.reply)
            return _code(action.reply)
        return await self._perform(action)

    async def _perform(self, action: Action) -> int:
        match action:
            case Leave():
                raise _Gone
            case Hang():
                while await self._reader.read(2**16):
                    pass
                raise _Gone
            case Stall():
                await asyncio.Event().wait()  # until the server is closed
                raise _Gone
            case Late():
                await action.event.wait()
                return await self._perform(action.action)
            case Say():
                return await self._say(action)

    async def _say(self, action: Say) -> int:
        reply, self._held = self._held + _octets(action.reply), b""
        step = action.pieces or self._server.pieces
        if step is None:
            self._writer.write(reply)
            await self._writer.drain()
        else:
            for start in range(0, len(reply), step):
                self._writer.write(reply[start : start + step])
                await self._writer.drain()
                await asyncio.sleep(0)
        if action.leave:
            self._writer.close()
            await self._writer.wait_closed()
            raise _Gone
        return _code(action.reply)


def _address(rcpt: bytes) -> str:
    return rcpt.partition(b"<")[2].rpartition(b">")[0].decode()


def _octets(reply: str | bytes) -> bytes:
    return reply.replace("\n", "\r\n").encode() + b"\r\n" if isinstance(reply, str) else reply


def _code(reply: str | bytes) -> int:
    digits = _octets(reply)[:3]
    return int(digits) if digits.isdigit() else 0
