"""The dialogue: commands out, replies in, matched in order whatever way the bytes arrive.

An alarm: one timer for a connection, however many waits it guards.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, cast

from digest.model.delivery import Reply
from digest.sender.replies import MalformedReply, ReplyParser

#: Seconds. What arrived while the event loop was busy is read before the alarm rings in earnest.
_GRACE: Final = 0.02


class DeadlineTimer:
    """Calls `ring` where a deadline passes.

    Setting and clearing a deadline is nearly free: the timer stays as it is, and looks at the
    deadline when it goes off. Waits of a millisecond are guarded by deadlines of minutes, so it
    rarely does.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._goes_off_at = 0.0
        self._late = False

    def set(self, seconds: float) -> None:
        """Ring in so many seconds, unless it is set anew or cleared before."""
        self._deadline = monotonic() + seconds
        self._late = False
        if self._timer is None or self._deadline < self._goes_off_at:
            self._arm(seconds)

    def clear(self) -> None:
        """Do not ring."""
        self._deadline = None

    def dispose(self) -> None:
        """Never ring again."""
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, seconds: float) -> None:
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
            self._arm(remaining)
        elif not self._late:
            # uvloop looks at its timers before it looks at its sockets.
            self._late = True
            self._arm(_GRACE)
        else:
            self._deadline = None
            self._ring()


#: Code 421 may answer any command: the server closes the connection (RFC 5321 section 3.8).
CLOSING: Final = 421

_CLOSES: Final = "the server closes the connection"
_UNASKED: Final = "the server spoke unasked"


class ConnectionLost(Exception):
    """The connection is of no use any more.

    `reason` is a phrase for people, `reply` what the server said about it (a 421, or an answer
    that nothing had asked for), and `hung` is true where it fell silent.
    """

    def __init__(self, reason: str, *, reply: Reply | None = None, hung: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply
        self.hung = hung


#: What to do with replies in the very turn of the event loop in which they came.
Then = Callable[[Sequence[Reply]], None]


class SmtpProtocol(asyncio.Protocol):
    """One SMTP connection after its handshake. One task at a time speaks through it.

    Once the line is lost, the connection is gone, and `lost` says why.

    **What has left.** Where nothing is encrypted, the transport tells exactly whether the system
    has taken every octet that was written: with a high-water mark of 0, writing is paused as long
    as a single one is still in our own memory, on asyncio and on uvloop alike. What never reached
    the system cannot have reached the server. TLS keeps octets in places that nobody can see into.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._alarm = DeadlineTimer(self._fall_silent)
        self._patience = 0.0
        self._parser = ReplyParser()
        self._arrived: list[Reply] = []
        self._wanted = 0
        self._then: Then | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._in_the_open = transport.get_extra_info("sslcontext") is None
        self._holding_back = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.lost: ConnectionLost | None = None

    @classmethod
    def take_over(cls, transport: asyncio.Transport) -> "SmtpProtocol":
        """Speak on a connection that another protocol has opened."""
        dialogue = cls(transport)
        transport.set_protocol(dialogue)
        if transport.is_closing():
            dialogue.connection_lost(None)
        elif dialogue._in_the_open:
            transport.set_write_buffer_limits(high=0)
        return dialogue

    @property
    def holding_back(self) -> bool:
        """Whether something that was written is surely still here."""
        return self._holding_back

    async def ask(
        self,
        data: bytes | Sequence[bytes],
        *,
        replies: int,
        within: float,
        then: Then | None = None,
    ) -> Sequence[Reply]:
        """Write, and wait for so many replies: fewer come where the line is lost meanwhile.

        A 421 is not among them; it is in `lost`. `within` so many seconds the server must speak,
        and again between two replies. Raises ConnectionLost where nothing could be written any more.

        `then` is shown the replies once all are there, unless the line is lost. If it goes on with
        `go_on`, the replies to that are what this gives back. What it raises comes out of here.
        """
        if self.lost is not None:
            raise self.lost
        self._then = then
        self._waiter = self._loop.create_future()
        self.go_on(data, replies=replies, within=within)
        try:
            await self._waiter
        finally:
            self._waiter = self._then = None
            self._alarm.clear()
        arrived, self._arrived = self._arrived, []
        return arrived

    def go_on(self, data: bytes | Sequence[bytes], *, replies: int, within: float) -> None:
        """Have whoever is in `ask` wait for the replies to something else; only for `then`."""
        self._wanted, self._patience = replies, within
        self._arrived = []
        # In one piece: with several, some versions of asyncio since 3.12 keep the rest without
        # pausing us, and then nobody could tell what has left.
        self._transport.write(data if isinstance(data, bytes) else b"".join(data))
        if self._transport.is_closing():
            # The system refused it: the loss of the connection is about to be announced.
            self._holding_back = self._in_the_open
        self._alarm.set(within)

    def _answered(self) -> None:
        """All replies are there: wake whoever waits, unless there is something to go on with."""
        waiter, then, self._then = self._waiter, self._then, None
        if then is not None and self._parser.amid:
            # What has begun by now cannot be an answer to what follows.
            self.lose(ConnectionLost(_UNASKED))
        if then is not None and waiter is not None and not waiter.done() and self.lost is None:
            try:
                then(self._arrived)
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
                waiter.set_exception(error)
        if len(self._arrived) == self._wanted:
            self._wake()

    def lose(self, loss: ConnectionLost) -> ConnectionLost:
        """Give the connection up at once; gives back the first reason there was."""
        if self.lost is None:
            self.lost = loss
            self._alarm.dispose()
            self._transport.abort()
            self._wake()
        return self.lost

    async def held_back(self) -> bool:
        """After a loss: whether the last octet that was written surely never left.

        What is still in our memory may go on leaving until the connection is gone, so that is
        waited for; it takes one turn of the event loop.
        """
        if self._in_the_open:
            await asyncio.shield(self._closed)
        return self._holding_back

    async def closed(self, *, within: float) -> None:
        """Close what is still open and wait for it, no longer than so many seconds."""
        self._transport.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._closed), within)
        except TimeoutError:
            self._transport.abort()

    def _fall_silent(self) -> None:
        self.lose(ConnectionLost(f"the server said nothing for {self._patience:g} s", hung=True))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Match replies with the commands that are waiting for one."""
        if self.lost is not None:
            return
        try:
            for reply in self._parser.feed(data):
                if reply.code == CLOSING:
                    self.lose(ConnectionLost(_CLOSES, reply=reply))
                elif self._waiter is None or len(self._arrived) == self._wanted:
                    self.lose(ConnectionLost(_UNASKED, reply=reply))
                elif self.lost is None:
                    self._arrived.append(reply)
        except MalformedReply as malformed:
            self.lose(ConnectionLost(f"the server sent {malformed}"))
        if len(self._arrived) == self._wanted:
            self._answered()
        elif self.lost is None:
            self._alarm.set(self._patience)

    def pause_writing(self) -> None:
        """The system takes no more for now."""
        self._holding_back = self._in_the_open

    def resume_writing(self) -> None:
        """Everything written has been taken."""
        self._holding_back = False

    def eof_received(self) -> None:
        """The server has hung up."""
        self.lose(ConnectionLost("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever closed it."""
        why = f"the connection broke: {exc}" if exc else "the connection was closed"
        self.lose(ConnectionLost(why))
        if not self._closed.done():
            self._closed.set_result(None)


def transport_of(transport: asyncio.BaseTransport | None) -> asyncio.Transport:
    """What aiosmtplib holds as a BaseTransport is always one that reads and writes."""
    return cast("asyncio.Transport", transport)
