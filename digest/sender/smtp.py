"""SMTP: a handful of connections to one server, reused, and replaced when they break."""

import asyncio
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from digest.config.settings import SmtpSettings
from digest.errors import RelayUnavailable, SenderError
from digest.model.outcome import Deferred, Outcome, Reply, Unknown
from digest.sender.connect import connect, default_trust
from digest.sender.dialogue import LineLost
from digest.sender.envelope import Envelope
from digest.sender.session import Session
from digest.sender.transport import unrecorded
from digest.sender.troubles import broken, relay_name
from digest.sender.wire import letter_of

#: So many messages in a row without an answer, and the server is at fault; more where as many
#: connections are open, since all of them can break at one moment.
_STRIKES: Final = 5

#: Seconds for QUIT on all connections together.
_LEAVE_TAKING: Final = 2.0


class SmtpTransport:
    """Carries messages to one SMTP server over up to `settings.connections` connections.

    Entering it opens the first one, which proves that the server is there and lets us in. A
    connection that broke before the final dot is replaced and the message tried again where the
    connection had already served (servers close those that idle, or have carried enough); on a
    fresh one it is Deferred. When a further connection is refused, the others carry on alone.
    """

    def __init__(self, settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or default_trust(settings)
        self._relay = relay_name(settings)
        self._places = asyncio.Semaphore(settings.connections)
        self._given_up = 0
        self._idle: list[Session] = []
        self._busy: set[Session] = set()
        self._strikes: list[str] = []
        self._closed = False

    @property
    def connections(self) -> int:
        """How many messages it carries at the same time."""
        return self._settings.connections

    async def __aenter__(self) -> Self:
        """Open the first connection. Raises RelayUnavailable."""
        self._idle.append(await self._opened())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take leave on every connection; what is still in a transaction is cut off."""
        self._closed = True
        for session in self._busy:
            session.abort()
        try:
            async with asyncio.timeout(min(_LEAVE_TAKING, self._settings.timeout)):
                await asyncio.gather(*(session.quit() for session in self._idle))
        except TimeoutError:
            pass  # Good manners are not worth a longer wait: nothing depends on QUIT.
        finally:
            for session in self._idle:
                session.abort()
            self._idle.clear()

    async def send(
        self,
        envelope: Envelope,
        message: bytes,
        *,
        before_commit: Callable[[], None] = unrecorded,
    ) -> Outcome:
        """Carry one message; see `Transport.send`."""
        letter = letter_of(envelope, message)
        while True:
            session = await self._borrow()
            fresh = not session.served
            try:
                outcome = await session.send(letter, before_commit)
            except LineLost as lost:
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
            case Unknown() | Deferred(reply=None) | Deferred(reply=Reply(code=421)):
                self._strikes.append(outcome.reason)
            case _:
                self._strikes.clear()
        return outcome

    async def _borrow(self) -> Session:
        """An idle connection, or a new one. Raises RelayUnavailable where there can be none."""
        while True:
            await self._places.acquire()
            if self._closed:
                self._places.release()
                raise SenderError(f"the connections to {self._relay} have been closed")
            try:
                session = await self._idle_or_new()
            except BaseException as error:
                if isinstance(error, RelayUnavailable) and self._busy:
                    self._given_up += 1  # This place stays empty; wait for one that is not.
                    continue
                self._places.release()
                raise
            self._busy.add(session)
            return session

    async def _idle_or_new(self) -> Session:
        if len(self._strikes) >= max(_STRIKES, self.connections):
            raise broken(self._relay, len(self._strikes), self._strikes[-1])
        while self._idle:
            session = self._idle.pop()
            if session.usable:
                return session
        return await self._opened()

    async def _opened(self) -> Session:
        session = (await connect(self._settings, self._tls)).session
        for _ in range(self._given_up):
            self._places.release()
        self._given_up = 0
        return session

    def _give_back(self, session: Session) -> None:
        self._busy.discard(session)
        if session.usable:
            self._idle.append(session)
        self._places.release()
