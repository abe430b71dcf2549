"""The dialogue: commands out, replies in, matched in order whatever way the bytes arrive."""

import asyncio
from collections import deque
from typing import Final, cast

from digest.model.outcome import Reply
from digest.sender.replies import MalformedReply, ReplyParser

#: Code 421 may answer any command: the server closes the connection (RFC 5321 section 3.8).
CLOSING: Final = 421

_CLOSES: Final = "the server closes the connection"
_UNASKED: Final = "the server spoke unasked"


class LineLost(Exception):
    """The connection is of no use any more.

    `reason` is a phrase for people, `reply` what the server said about it (a 421, or an answer
    that nothing had asked for), and `hung` is true where it fell silent.
    """

    def __init__(self, reason: str, *, reply: Reply | None = None, hung: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply
        self.hung = hung


class Dialogue(asyncio.Protocol):
    """One SMTP connection after its handshake. One task at a time speaks through it.

    `timeout` is in seconds and holds for each wait. Once the line is lost, the connection is gone
    and every call raises the same LineLost.
    """

    def __init__(self, transport: asyncio.Transport, *, timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._timeout = timeout
        self._parser = ReplyParser()
        self._expected = 0
        self._arrived: deque[Reply] = deque()
        self._writable = True
        self._waiter: asyncio.Future[None] | None = None
        self._lost: LineLost | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    def take_over(cls, transport: asyncio.Transport, *, timeout: float) -> "Dialogue":
        """Speak on a connection that another protocol has opened."""
        dialogue = cls(transport, timeout=timeout)
        transport.set_protocol(dialogue)
        # "Written" is to mean handed to the system, not kept in a buffer of ours: what is lost
        # before the final dot is then noticed before it. (TLS transports never resume at 0.)
        transport.set_write_buffer_limits(high=1, low=0)
        if transport.is_closing():
            dialogue.lose(LineLost("the server closed the connection"))
        return dialogue

    @property
    def lost(self) -> LineLost | None:
        """Why nothing goes through any more, or None while the line stands."""
        return self._lost

    def write(self, data: bytes, *, replies: int) -> None:
        """Send what the server answers with so many replies. Raises LineLost."""
        self._check()
        self._expected += replies
        self._transport.write(data)

    async def reply(self) -> Reply:
        """The next reply in the order of the commands. A 421 is raised as LineLost."""
        while not self._arrived:
            self._check()
            await self._wait()
        reply = self._arrived.popleft()
        if reply.code == CLOSING:
            raise self.lose(LineLost(_CLOSES, reply=reply))
        return reply

    async def drained(self) -> None:
        """Wait until the system has taken everything that was written. Raises LineLost."""
        while not self._writable:
            self._check()
            await self._wait()
        self._check()

    def lose(self, loss: LineLost) -> LineLost:
        """Give the connection up at once; gives back the first reason there was."""
        if self._lost is None:
            self._lost = loss
            self._transport.abort()
            self._wake()
        return self._lost

    async def closed(self) -> None:
        """Close what is still open and wait for it, no longer than the timeout."""
        self._transport.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._closed), self._timeout)
        except TimeoutError:
            self._transport.abort()

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        alarm = self._loop.call_later(self._timeout, self._time_out)
        try:
            await self._waiter
        finally:
            alarm.cancel()
            self._waiter = None

    def _time_out(self) -> None:
        if self._waiter is None or self._waiter.done():
            return  # What we wait for has come while something else kept the event loop busy.
        self.lose(LineLost(f"the server said nothing for {self._timeout:g} s", hung=True))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _match(self, reply: Reply) -> None:
        if self._expected == 0:
            raise LineLost(_CLOSES if reply.code == CLOSING else _UNASKED, reply=reply)
        self._expected -= 1
        self._arrived.append(reply)

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Match replies with the commands that are waiting for one."""
        if self._lost is not None:
            return
        try:
            for reply in self._parser.feed(data):
                self._match(reply)
        except MalformedReply as malformed:
            self.lose(LineLost(f"the server sent {malformed}"))
        except LineLost as surprise:
            self.lose(surprise)
        self._wake()

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._writable = False

    def resume_writing(self) -> None:
        """Everything written has been taken."""
        self._writable = True
        self._wake()

    def eof_received(self) -> None:
        """The server has hung up."""
        self.lose(LineLost("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        why = f"the connection broke: {exc}" if exc else "the connection was closed"
        self.lose(LineLost(why))
        if not self._closed.done():
            self._closed.set_result(None)


def transport_of(transport: asyncio.BaseTransport | None) -> asyncio.Transport:
    """What aiosmtplib holds as a BaseTransport is always one that reads and writes."""
    return cast("asyncio.Transport", transport)
