"""The SMTP transport: a few connections to one server, reused, and replaced when they break."""

import asyncio
import ssl
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final, Self

from digest.config.settings import SmtpSettings
from digest.errors import RelayUnavailable, SenderError
from digest.model.delivery import Deferred, Outcome, Reply, Unknown
from digest.sender.connection import connect, default_trust
from digest.sender.connection_errors import relay_name, repeated_failures
from digest.sender.message_data import Envelope, Message, MessageChecker
from digest.sender.protocol import ConnectionLost
from digest.sender.transaction import SmtpSession
from digest.sender.transport import Precommit, no_precommit

#: Messages in a row without an answer after which the server is at fault; more where as many
#: connections are open, since all of them can break at one moment.
_FAILURES: Final = 5

#: Seconds for QUIT, on however many connections at once.
_QUIT_TIMEOUT: Final = 2.0


class SmtpTransport:
    """Carries messages to one SMTP server over up to `settings.connections` connections.

    Entering it opens the first one, which proves that the server is there and lets us in. A
    connection that broke is replaced. If it had carried a message before, the one at hand is tried
    again if it is surely not sent: servers close connections that idle, or have carried enough. On
    a fresh one it is Deferred. When a further connection is refused, the others continue alone.
    """

    def __init__(self, settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or default_trust(settings)
        self._relay = relay_name(settings)
        self._messages_per_connection = settings.messages_per_connection or sys.maxsize
        self._begin()

    def _begin(self) -> None:
        self._checker = MessageChecker()
        self._sessions: set[SmtpSession] = set()
        self._idle: list[SmtpSession] = []
        self._unopened = self._settings.connections
        self._refused_places = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._failures: list[str] = []
        self._closed = False

    @property
    def connections(self) -> int:
        """How many messages it carries at the same time."""
        return self._settings.connections

    async def __aenter__(self) -> Self:
        """Open the first connection. Raises RelayUnavailable. It may be entered again later."""
        self._begin()
        self._release(await self._open())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say QUIT on every idle connection, and drop those in the middle of a transaction."""
        self._closed = True
        idle, self._idle = self._idle, []
        for session in self._sessions.difference(idle):
            session.abort()
        await self._quit(idle)
        self._wake_next()

    def forget_failures(self) -> None:
        """Try again, however often the server failed before."""
        self._failures.clear()

    async def send(
        self, envelope: Envelope, message: Message, *, before_commit: Precommit = no_precommit
    ) -> Outcome:
        """Carry one message; see `Transport.send`."""
        outgoing = self._checker.outgoing(envelope, message)
        while True:
            session = self._ready() or await self._acquire()
            fresh = not session.served
            try:
                outcome = await session.send(outgoing, before_commit)
            except ConnectionLost as lost:
                if fresh:
                    return self._counted(Deferred(reason=lost.reason, reply=lost.reply))
                # It is surely not sent, and a connection that has served says little about why.
            else:
                return self._counted(outcome)
            finally:
                self._release(session)

    def _counted(self, outcome: Outcome) -> Outcome:
        """The outcome, once it is counted as the server's failure or success."""
        match outcome:
            case Unknown() | Deferred(reply=None) | Deferred(reply=Reply(code=421)):
                self._failures.append(outcome.reason)
            case _:
                self._failures.clear()
        return outcome

    def _ready(self) -> SmtpSession | None:
        """An idle connection that may carry another message, without waiting; None in doubt."""
        if self._idle and not self._failures:
            session = self._idle.pop()
            if session.usable and session.served < self._messages_per_connection:
                return session
            self._idle.append(session)
        return None

    async def _acquire(self) -> SmtpSession:
        """A connection, as soon as one is free. Raises RelayUnavailable where there can be none."""
        while True:
            self._require_usable()
            if self._idle:
                session = self._idle.pop()
                if session.usable and session.served < self._messages_per_connection:
                    return session
                await self._retire(session)
            elif self._unopened:
                try:
                    return await self._open()
                except RelayUnavailable:
                    if not self._sessions:
                        raise
                    # This place stays empty for now; wait for a connection in another.
                    self._unopened -= 1
                    self._refused_places += 1
            else:
                await self._wait()

    def _require_usable(self) -> None:
        """Raise where no connection will be given out any more, and wake the next who waits."""
        if self._closed:
            self._wake_next()
            raise SenderError(f"the connections to {self._relay} have been closed")
        if len(self._failures) >= max(_FAILURES, self.connections + 1):
            self._wake_next()
            raise repeated_failures(self._relay, len(self._failures), self._failures[-1])

    async def _open(self) -> SmtpSession:
        """Open a connection in an empty place. Raises RelayUnavailable."""
        self._unopened -= 1
        try:
            session = await connect(self._settings, self._tls)
        except BaseException:
            self._unopened += 1
            self._wake_next()
            raise
        self._sessions.add(session)
        # The server may now accept the connections that it refused before.
        for _ in range(self._refused_places):
            self._wake_next()
        self._unopened += self._refused_places
        self._refused_places = 0
        return session

    async def _retire(self, session: SmtpSession) -> None:
        """Close a connection that has carried enough, and forget one that broke."""
        try:
            await self._quit([session])
        finally:
            self._release(session)

    async def _quit(self, sessions: Sequence[SmtpSession]) -> None:
        try:
            async with asyncio.timeout(min(_QUIT_TIMEOUT, self._settings.timeout)):
                await asyncio.gather(*(session.quit() for session in sessions))
        except TimeoutError:
            pass  # Nothing depends on QUIT, so it is not worth a longer wait.
        finally:
            for session in sessions:
                session.abort()

    def _release(self, session: SmtpSession) -> None:
        if session.usable:
            self._idle.append(session)
        else:
            self._sessions.discard(session)
            self._unopened += 1
        if self._waiters:
            self._wake_next()

    async def _wait(self) -> None:
        """Wait until a connection, or the place for one, may have come free."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._wake_next()
            raise

    def _wake_next(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
