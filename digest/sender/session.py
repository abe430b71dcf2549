"""A session: one connection that carries message after message, and knows when one is committed.

The commit point is the final dot. Until it is written the message is surely not sent, and whatever
goes wrong is raised as LineLost; from then on only the server's reply can tell, and without one
the outcome is Unknown.
"""

from collections.abc import Callable
from typing import Final

from digest.errors import RelayUnavailable
from digest.model.outcome import Deferred, Outcome, Rejected, Reply, Unknown
from digest.sender.commands import Commands, commands_for
from digest.sender.dialogue import CLOSING, Dialogue, LineLost
from digest.sender.extensions import Extensions
from digest.sender.verdicts import Opening, is_positive, of_message, of_opening, wants_message
from digest.sender.wire import FINAL_DOT, Letter

_RSET: Final = b"RSET\r\n"
_DATA: Final = b"DATA\r\n"
_QUIT: Final = b"QUIT\r\n"


class Session:
    """One open connection. `served` counts the readers it has had an answer about."""

    def __init__(self, dialogue: Dialogue, extensions: Extensions, *, relay: str) -> None:
        self._dialogue = dialogue
        self._extensions = extensions
        self._relay = relay
        self._left_open = False
        self._pipelining = extensions.pipelining
        self.served = 0

    @property
    def usable(self) -> bool:
        """Whether the connection still stands, as far as we have heard."""
        return self._dialogue.lost is None

    async def send(self, letter: Letter, before_commit: Callable[[], None]) -> Outcome:
        """Carry one message.

        Raises LineLost where it is surely not sent and another connection may do better, and
        RelayUnavailable where no other one would. Whatever else ends it, a cancelled task or an
        error in `before_commit`, takes the connection along.
        """
        commands = commands_for(letter, self._extensions, relay=self._relay)
        if isinstance(commands, Rejected):
            return commands
        try:
            return await self._transaction(commands, letter, before_commit)
        except (LineLost, RelayUnavailable):
            raise
        except BaseException:
            self.abort()
            raise

    async def _transaction(
        self, commands: Commands, letter: Letter, before_commit: Callable[[], None]
    ) -> Outcome:
        opening = await self._open(commands)
        if not opening.go_ahead:
            if opening.data is not None and wants_message(opening.data):
                await self._send_nothing()
            self.served += is_positive(opening.mail)
            return of_opening(opening, relay=self._relay)
        early = await self._send_body(letter)
        if early is not None:
            return early
        before_commit()
        return await self._commit()

    async def _open(self, commands: Commands) -> Opening:
        """MAIL, RCPT and DATA, in one write where the server lets us (RFC 2920)."""
        reset, self._left_open = self._left_open, True
        if self._pipelining:
            opening = (_RSET if reset else b"") + commands.mail + commands.rcpt + _DATA
            self._dialogue.write(opening, replies=4 if reset else 3)
        if reset:
            await self._reset()
        mail = await self._mail(commands.mail)
        if not is_positive(mail):
            return Opening(mail=mail, rcpt=await self._echo(), data=await self._echo())
        rcpt = await self._ask(commands.rcpt)
        if not is_positive(rcpt):
            return Opening(mail=mail, rcpt=rcpt, data=await self._echo())
        return Opening(mail=mail, rcpt=rcpt, data=await self._ask(_DATA))

    async def _ask(self, command: bytes) -> Reply:
        """The reply to a command of the opening. Pipelined, it has been sent with the others."""
        if not self._pipelining:
            self._dialogue.write(command, replies=1)
        return await self._dialogue.reply()

    async def _echo(self) -> Reply | None:
        """The reply to what was sent along with a command that has been refused by now."""
        if not self._pipelining:
            return None
        try:
            return await self._dialogue.reply()
        except LineLost:
            return None

    async def _reset(self) -> None:
        reply = await self._ask(_RSET)
        if not is_positive(reply):
            raise self._dialogue.lose(LineLost("the server refused RSET", reply=reply))

    async def _mail(self, command: bytes) -> Reply:
        try:
            reply = await self._ask(command)
        except LineLost as lost:
            if lost.hung and not self.served:
                raise RelayUnavailable(
                    f"{self._relay} does not answer MAIL FROM: {lost.reason}",
                    hint="Try again later, or set a longer smtp.timeout.",
                ) from lost
            raise
        if self.served and not is_positive(reply):
            # A connection that has carried enough is often refused here; a fresh one decides.
            raise self._dialogue.lose(LineLost("the server takes no more on it", reply=reply))
        return reply

    async def _send_nothing(self) -> None:
        """Answer a go-ahead without a recipient: with just the dot (RFC 2920 section 3.1)."""
        try:
            self._dialogue.write(FINAL_DOT, replies=1)
            await self._dialogue.reply()
        except LineLost:
            pass  # What was refused stays refused, and the connection knows that it is gone.

    async def _send_body(self, letter: Letter) -> Outcome | None:
        """Everything but the final dot. An outcome means that the server would not hear it out."""
        try:
            self._dialogue.write(letter.body, replies=0)
            await self._dialogue.drained()
        except LineLost as lost:
            if lost.reply is None or lost.reply.code < 400 or lost.reply.code == CLOSING:
                raise
            return of_message(lost.reply)
        return None

    async def _commit(self) -> Outcome:
        self.served += 1
        self._left_open = False
        try:
            self._dialogue.write(FINAL_DOT, replies=1)
            return of_message(await self._dialogue.reply())
        except LineLost as lost:
            if lost.reply is not None and lost.reply.code == CLOSING:
                return Deferred(reason=lost.reason, reply=lost.reply)
            return Unknown(reason=f"{lost.reason}, after the message and before its receipt")

    def abort(self) -> None:
        """Drop the connection. A message without its final dot is not sent."""
        self._dialogue.lose(LineLost("we closed the connection"))

    async def quit(self) -> None:
        """Take leave in order, and close; never longer than the timeout of a wait or two."""
        try:
            if self.usable:
                self._dialogue.write(_QUIT, replies=1)
                await self._dialogue.reply()
        except LineLost:
            pass
        finally:
            await self._dialogue.closed()
