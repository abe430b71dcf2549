"""One SMTP connection as an asyncio protocol: commands out, replies in, matched in order.

What is said on it is a `Dialogue`: a generator that asks, yields, and is sent the replies, and so
reads from top to bottom like a coroutine. The protocol resumes it in the callback that has read the
last reply: what follows is written in the same turn of the event loop. A coroutine would have to be
woken first, which costs a few hundredths of a message's time (docs/decisions/0017).
"""

import asyncio
import ssl
from collections.abc import Callable, Generator, Sequence
from enum import Enum
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar, cast

from digest.model.delivery import Reply
from digest.sender.replies import MalformedReply, ReplyParser

T = TypeVar("T")

#: Code 421 may answer any command: the server closes the connection (RFC 5321 section 3.8).
CLOSING: Final = 421

#: Seconds. What arrived while the event loop was busy is read before a deadline counts as missed.
_GRACE: Final = 0.02

_CLOSES: Final = "the server closes the connection"
_UNREQUESTED: Final = "the server sent a reply that nothing had asked for"


class ConnectionLost(Exception):
    """The connection cannot be used any more.

    `reason` is a phrase for people, `reply` what the server said about it (a 421, or an answer
    that nothing had asked for), and `timed_out` is true where it fell silent.
    """

    def __init__(self, reason: str, *, reply: Reply | None = None, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply
        self.timed_out = timed_out


class WaitFor(Enum):
    """What a dialogue yields. Only `SmtpProtocol.ask` returns it, so none waits for nothing."""

    REPLIES = "replies"


#: `replies = yield protocol.ask(...)`, and what it returns or raises comes out of `run`. It runs
#: inside a callback, so it awaits nothing.
Dialogue: TypeAlias = Generator[WaitFor, Sequence[Reply], T]


class SmtpProtocol(asyncio.Protocol):
    """One SMTP connection after its handshake. One task at a time speaks through it.

    Once the connection is lost, `lost` says why, and nothing more is written.

    **What has left.** Where nothing is encrypted, the transport tells exactly whether the system
    has taken every octet that was written: with a high-water mark of 0, writing is paused as long
    as a single one is still in our own memory, on asyncio and on uvloop alike. What never reached
    the system cannot have reached the server. TLS keeps octets in places that nobody can see into.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._encrypted = transport.get_extra_info("sslcontext") is not None
        self._deadline = DeadlineTimer(self._time_out)
        self._timeout = 0.0
        self._parser = ReplyParser()
        #: The dialogue that is held, and its result: pending as long as it waits for replies.
        self._running: tuple[Dialogue[Any], asyncio.Future[Any]] | None = None
        self._replies: list[Reply] = []
        self._expected = 0
        self._has_unsent = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.lost: ConnectionLost | None = None

    @classmethod
    def take_over(cls, transport: asyncio.Transport) -> "SmtpProtocol":
        """Speak on a connection that another protocol has opened."""
        protocol = cls(transport)
        transport.set_protocol(protocol)
        if transport.is_closing():
            protocol.connection_lost(None)
        elif not protocol._encrypted:
            transport.set_write_buffer_limits(high=0)
        return protocol

    @property
    def has_unsent(self) -> bool:
        """Whether something that was written is surely still in our memory."""
        return self._has_unsent

    @property
    def tls_version(self) -> str | None:
        """`TLSv1.3`, for example; None where nothing is encrypted."""
        encryption: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return encryption.version() if encryption is not None else None

    async def run(self, dialogue: Dialogue[T]) -> T:
        """Hold a dialogue to its end. If the task is cancelled, nothing more is written."""
        if self._running is not None:
            raise RuntimeError("two tasks speak through one connection")
        result: asyncio.Future[T] = self._loop.create_future()
        self._running = dialogue, result
        try:
            self._resume(None)
            return await result
        finally:
            self._running = None
            self._deadline.clear()
            dialogue.close()

    def ask(self, data: bytes | Sequence[bytes], *, replies: int, timeout: float) -> WaitFor:
        """Write, for a dialogue that then yields and is sent the replies.

        Fewer replies come where the connection is lost meanwhile. A 421 is not among them; it is in
        `lost`. The server must answer within `timeout` seconds, and again between two replies.
        Raises ConnectionLost where it is lost already.
        """
        if self.lost is not None:
            raise self.lost
        self._replies, self._expected, self._timeout = [], replies, timeout
        # In one piece: with several, some versions of asyncio since 3.12 keep the rest without
        # pausing us, and then nobody could tell what has left.
        self._transport.write(data if isinstance(data, bytes) else b"".join(data))
        if self._transport.is_closing():
            # The system refused it: the loss of the connection is about to be announced.
            self._has_unsent = not self._encrypted
        self._deadline.set(timeout)
        return WaitFor.REPLIES

    def _resume(self, replies: Sequence[Reply] | None) -> None:
        """Run the dialogue until it asks again, or to its end; it begins with no replies."""
        if self._running is None:
            return
        dialogue, result = self._running
        if result.done():
            return  # Its task has been cancelled, or will be told soon.
        try:
            if replies is None:
                next(dialogue)
            else:
                dialogue.send(replies)
        except StopIteration as end:
            result.set_result(end.value)
        except BaseException as error:  # noqa: BLE001 - `run` raises it, whatever it is
            result.set_exception(error)

    def _resume_after_loss(self) -> None:
        self._resume(self._replies)

    def lose(self, loss: ConnectionLost) -> ConnectionLost:
        """Give the connection up at once; returns the first reason there was."""
        if self.lost is None:
            self.lost = loss
            self._deadline.dispose()
            self._transport.abort()
            if self._running is not None:
                # Later: this may be the dialogue's own doing, and a generator cannot resume itself.
                self._loop.call_soon(self._resume_after_loss)
        return self.lost

    async def lost_with_unsent(self) -> bool:
        """After a loss: whether the last octet that was written surely never left.

        What is still in our memory may go on leaving until the connection is gone, so that is
        waited for; it takes one turn of the event loop.
        """
        if not self._encrypted:
            await asyncio.shield(self._closed)
        return self._has_unsent

    async def close(self, *, timeout: float) -> None:
        """Close what is still open and wait for it, no longer than so many seconds."""
        self._transport.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._closed), timeout)
        except TimeoutError:
            self._transport.abort()

    def _time_out(self) -> None:
        self.lose(
            ConnectionLost(f"the server said nothing for {self._timeout:g} s", timed_out=True)
        )

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Match replies with what was asked, and resume the dialogue when all are there."""
        if self.lost is not None:
            return
        try:
            for reply in self._parser.feed(data):
                if reply.code == CLOSING:
                    self.lose(ConnectionLost(_CLOSES, reply=reply))
                elif len(self._replies) == self._expected:
                    self.lose(ConnectionLost(_UNREQUESTED, reply=reply))
                elif self.lost is None:
                    self._replies.append(reply)
        except MalformedReply as malformed:
            self.lose(ConnectionLost(f"the server sent {malformed}"))
        if len(self._replies) < self._expected:
            if self.lost is None:
                self._deadline.set(self._timeout)
        elif self._parser.is_amid_reply:
            # What has begun by now cannot be an answer to what follows.
            self.lose(ConnectionLost(_UNREQUESTED))
        else:
            self._resume(self._replies)

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._has_unsent = not self._encrypted

    def resume_writing(self) -> None:
        """Everything written has been taken."""
        self._has_unsent = False

    def eof_received(self) -> None:
        """The server has hung up."""
        self.lose(ConnectionLost("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        reason = f"the connection broke: {exc}" if exc else "the connection was closed"
        self.lose(ConnectionLost(reason))
        if not self._closed.done():
            self._closed.set_result(None)


def transport_of(transport: asyncio.BaseTransport | None) -> asyncio.Transport:
    """What aiosmtplib holds as a BaseTransport is always one that reads and writes."""
    return cast("asyncio.Transport", transport)


class DeadlineTimer:
    """Calls `on_expiry` when a deadline passes.

    Setting and clearing a deadline is nearly free: the loop's timer stays as it is, and looks at
    the deadline when it goes off. Waits of a millisecond are guarded by deadlines of minutes, so it
    rarely does.
    """

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._on_expiry = on_expiry
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._goes_off_at = 0.0
        self._in_grace = False

    def set(self, seconds: float) -> None:
        """Expire in so many seconds, unless it is set anew or cleared before."""
        self._deadline = monotonic() + seconds
        self._in_grace = False
        if self._timer is None or self._deadline < self._goes_off_at:
            self._start(seconds)

    def clear(self) -> None:
        """Do not expire."""
        self._deadline = None

    def dispose(self) -> None:
        """Never expire again, and leave no timer behind."""
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._goes_off_at = monotonic() + seconds
        self._timer = self._loop.call_later(seconds, self._go_off)

    def _go_off(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        remaining = self._deadline - monotonic()
        if remaining > 0:
            self._start(remaining)
        elif not self._in_grace:
            # uvloop looks at its timers before it looks at its sockets.
            self._in_grace = True
            self._start(_GRACE)
        else:
            self._deadline = None
            self._on_expiry()
