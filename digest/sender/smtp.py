"""SMTP: a handful of connections to one server, reused, and replaced when they break."""

import asyncio
import ssl
import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from digest.config.settings import SmtpSettings
from digest.errors import RelayUnavailable, SenderError
from digest.model.delivery import Accepted, Deferred, Outcome, Reply, Unknown
from digest.sender.connection import connect, default_trust
from digest.sender.connection_errors import protocol_error, relay_name
from digest.sender.message_data import Envelope, Message, MessageChecker
from digest.sender.protocol import ConnectionLost
from digest.sender.transaction import SmtpSession
from digest.sender.transport import no_precommit

#: So many messages in a row without an answer, and the server is at fault; more where as many
#: connections are open, since all of them can break at one moment.
_STRIKES: Final = 5

#: Seconds for QUIT, on however many connections at once.
_LEAVE_TAKING: Final = 2.0


class SmtpTransport:
    """Carries messages to one SMTP server over up to `settings.connections` connections.

    Entering it opens the first one, which proves that the server is there and lets us in. A
    connection that broke is replaced. Where it had already served, its message is tried again if it
    is surely not sent: servers close those that idle, or have carried enough. On a fresh one it is
    Deferred. When a further connection is refused, the others carry on alone.
    """

    def __init__(self, settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or default_trust(settings)
        self._relay = relay_name(settings)
        self._wears_out_at = settings.messages_per_connection or sys.maxsize
        self._begin()

    def _begin(self) -> None:
        self._inspector = MessageChecker()
        self._sessions: set[SmtpSession] = set()
        self._idle: list[SmtpSession] = []
        self._unopened = self._settings.connections
        self._given_up = 0
        self._turns: deque[asyncio.Future[None]] = deque()
        self._strikes: list[str] = []
        self._closed = False

    @property
    def connections(self) -> int:
        """How many messages it carries at the same time."""
        return self._settings.connections

    async def __aenter__(self) -> Self:
        """Open the first connection. Raises RelayUnavailable. It may be entered again later."""
        self._begin()
        self._give_back(await self._open())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take leave on every connection; what is still in a transaction is cut off."""
        self._closed = True
        idle, self._idle = self._idle, []
        for session in self._sessions.difference(idle):
            session.abort()
        await self._take_leave(idle)
        self._next_turn()

    def forgive(self) -> None:
        """Give a server that was at fault another chance."""
        self._strikes.clear()

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one message; see `Transport.send`."""
        letter = self._inspector.letter(envelope, message)
        while True:
            session = self._ready() or await self._borrow()
            fresh = not session.served
            try:
                outcome = await session.send(letter, before_commit)
            except ConnectionLost as lost:
                if fresh:
                    return self._counted(Deferred(reason=lost.reason, reply=lost.reply))
                # It is surely not sent, and a connection that has served says little about why.
            else:
                return self._counted(outcome)
            finally:
                self._give_back(session)

    def _counted(self, outcome: Outcome) -> Outcome:
        """The outcome, after it has been held against the server or in its favour."""
        match outcome:
            case Accepted():
                self._strikes.clear()
            case Unknown() | Deferred(reply=None) | Deferred(reply=Reply(code=421)):
                self._strikes.append(outcome.reason)
            case _:
                self._strikes.clear()
        return outcome

    def _ready(self) -> SmtpSession | None:
        """An idle connection that may go on serving, if there is one and nothing to think about."""
        if self._idle and not self._strikes:
            session = self._idle.pop()
            if session.usable and session.served < self._wears_out_at:
                return session
            self._idle.append(session)
        return None

    async def _borrow(self) -> SmtpSession:
        """A connection, when it is our turn. Raises RelayUnavailable where there can be none."""
        while True:
            self._refuse()
            if self._idle:
                session = self._idle.pop()
                if session.usable and session.served < self._wears_out_at:
                    return session
                await self._retire(session)
            elif self._unopened:
                try:
                    return await self._open()
                except RelayUnavailable:
                    if not self._sessions:
                        raise
                    # This place stays empty; wait for one that is not.
                    self._unopened -= 1
                    self._given_up += 1
            else:
                await self._turn()

    def _refuse(self) -> None:
        """Raise where no connection will be given out any more; whoever waits is told, too."""
        if self._closed:
            self._next_turn()
            raise SenderError(f"the connections to {self._relay} have been closed")
        if len(self._strikes) >= max(_STRIKES, self.connections + 1):
            self._next_turn()
            raise protocol_error(self._relay, len(self._strikes), self._strikes[-1])

    async def _open(self) -> SmtpSession:
        """A new connection in a place that was empty. Raises RelayUnavailable."""
        self._unopened -= 1
        try:
            session = (await connect(self._settings, self._tls)).session
        except BaseException:
            self._unopened += 1
            self._next_turn()
            raise
        self._sessions.add(session)
        # What the server refused before, it may grant by now.
        for _ in range(self._given_up):
            self._next_turn()
        self._unopened += self._given_up
        self._given_up = 0
        return session

    async def _retire(self, session: SmtpSession) -> None:
        """Take leave on a connection that has carried enough, and forget one that broke."""
        try:
            await self._take_leave([session])
        finally:
            self._give_back(session)

    async def _take_leave(self, sessions: Sequence[SmtpSession]) -> None:
        try:
            async with asyncio.timeout(min(_LEAVE_TAKING, self._settings.timeout)):
                await asyncio.gather(*(session.quit() for session in sessions))
        except TimeoutError:
            pass  # Good manners are not worth a longer wait: nothing depends on QUIT.
        finally:
            for session in sessions:
                session.abort()

    def _give_back(self, session: SmtpSession) -> None:
        if session.usable:
            self._idle.append(session)
        else:
            self._sessions.discard(session)
            self._unopened += 1
        if self._turns:
            self._next_turn()

    async def _turn(self) -> None:
        """Wait until a connection, or the place for one, may have come free."""
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._next_turn()
            raise

    def _next_turn(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
