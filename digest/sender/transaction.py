"""Mail transactions: MAIL, RCPT and DATA for message after message on one connection.

The commit point is the write that ends with the final dot. Until then the message is surely not
sent, and whatever goes wrong is raised as ConnectionLost. From then on only the server's reply can
tell (421 says that it was not taken), with one exception: as long as the end of what was written is
still in our own memory, the dot has not left. Without either the outcome is Unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Final

from digest.errors import RelayUnavailable
from digest.lib.email_address import InvalidAddress, wire_address
from digest.model.delivery import Deferred, Outcome, Rejected, Reply, Unknown
from digest.sender.message_data import FINAL_DOT, OutgoingMessage
from digest.sender.protocol import CLOSING, ConnectionLost, Dialogue, SmtpProtocol
from digest.sender.reply_outcomes import (
    is_go_ahead,
    is_positive,
    message_outcome,
    opening_outcome,
    wants_message,
)

#: MAIL, RCPT and DATA: the opening of a transaction.
_OPENING_COMMANDS: Final = 3

_RSET: Final = b"RSET\r\n"
_QUIT: Final = b"QUIT\r\n"
_TOO_EARLY: Final = "the server answered in the middle of the message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1), as far as we use it.

    `largest` is the SIZE limit in octets, None without one.
    """

    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    size: bool = False
    largest: int | None = None

    @classmethod
    def offered(cls, keywords: Mapping[str, str]) -> "Extensions":
        """Of EHLO's keywords with their parameters."""
        offers = {name.upper(): parameters for name, parameters in keywords.items()}
        limit = offers.get("SIZE", "").strip()
        return cls(
            pipelining="PIPELINING" in offers,
            eight_bit="8BITMIME" in offers,
            smtputf8="SMTPUTF8" in offers,
            size="SIZE" in offers,
            # RFC 1870 section 4: zero means that there is no fixed limit.
            largest=int(limit) or None if limit.isascii() and limit.isdigit() else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _BrokenOff:
    """A transaction that broke off after the commit. Where the final dot is decides what it was.

    `unsent` holds where the dot surely never left, else `sent`.
    """

    unsent: Deferred | ConnectionLost
    sent: Unknown


@dataclass(eq=False, slots=True)
class SmtpSession:
    """One open connection. `served` counts the readers it has had an answer about.

    `timeout` is in seconds and holds for each reply, but for the one to the final dot: that has
    `timeout_after_data`.
    """

    protocol: SmtpProtocol
    extensions: Extensions
    _: KW_ONLY
    relay: str
    timeout: float
    timeout_after_data: float
    served: int = 0
    needs_reset: bool = False

    @property
    def usable(self) -> bool:
        """Whether the connection still stands, as far as we have heard."""
        return self.protocol.lost is None

    @property
    def tls_version(self) -> str | None:
        """`TLSv1.3`, for example; None where nothing is encrypted."""
        return self.protocol.tls_version

    async def send(self, message: OutgoingMessage, before_commit: Callable[[], None]) -> Outcome:
        """Carry one message.

        Raises ConnectionLost where it is surely not sent and another connection may do better, and
        RelayUnavailable where no other one would. Whatever else ends it, a cancelled task or an
        error in `before_commit`, takes the connection along.
        """
        opening = opening_commands(message, self.extensions, relay=self.relay)
        if isinstance(opening, Rejected):
            return opening
        try:
            ending = await self.protocol.run(
                self._transaction(opening, message.data, before_commit)
            )
            if isinstance(ending, _BrokenOff):
                return await self._after_break(ending)
        except (ConnectionLost, RelayUnavailable):
            raise
        except BaseException:
            self.abort()
            raise
        return ending

    async def _after_break(self, ending: _BrokenOff) -> Outcome:
        if not await self.protocol.lost_with_unsent():
            return ending.sent
        if isinstance(ending.unsent, ConnectionLost):
            raise ending.unsent
        return ending.unsent

    def _transaction(
        self, opening: bytes, data: Sequence[bytes], before_commit: Callable[[], None]
    ) -> Dialogue[Outcome | _BrokenOff]:
        """One message: the opening, the commit, and the data with the final dot."""
        replies = yield from self._open(opening)
        if not is_go_ahead(replies):
            self.needs_reset = True
            return (yield from self._refused(replies))
        if self.protocol.lost is not None:
            return self._lost_before_data(self.protocol.lost)
        before_commit()
        self.served += 1
        receipt = yield self.protocol.ask(data, replies=1, timeout=self.timeout_after_data)
        if not receipt:
            return self._without_receipt()
        if self.protocol.has_unsent:
            return self._answered_early(receipt[0])
        return message_outcome(receipt[0])

    def _open(self, opening: bytes) -> Dialogue[Sequence[Reply]]:
        """The replies to the opening, as far as they came."""
        if self.needs_reset:
            return self._open_after_reset(opening)
        return self._ask_all(opening, _OPENING_COMMANDS)

    def _open_after_reset(self, opening: bytes) -> Dialogue[Sequence[Reply]]:
        """As `_open`, after a transaction that was refused and is to be forgotten first."""
        replies = yield from self._ask_all(_RSET + opening, 1 + _OPENING_COMMANDS)
        if replies and not is_positive(replies[0]):
            raise self.protocol.lose(ConnectionLost("the server refused RSET", reply=replies[0]))
        self.needs_reset = False
        return replies[1:]

    def _ask_all(self, commands: bytes, expected: int) -> Dialogue[Sequence[Reply]]:
        """The replies to several commands, in one write where the server offers PIPELINING.

        Otherwise each command waits for the reply to the one before (RFC 2920 section 3.1), and a
        refusal makes the others needless.
        """
        if self.extensions.pipelining:
            return (yield self.protocol.ask(commands, replies=expected, timeout=self.timeout))
        replies: list[Reply] = []
        for command in commands.splitlines(keepends=True):
            replies += yield self.protocol.ask(command, replies=1, timeout=self.timeout)
            if self.protocol.lost is not None or not is_positive(replies[-1]):
                break
        return replies

    def _refused(self, replies: Sequence[Reply]) -> Dialogue[Outcome]:
        """The outcome of an opening without a go-ahead. The first refusal in it decides."""
        lost = self.protocol.lost
        if lost is not None and all(map(is_positive, replies)):
            raise self._unopened(lost, replies)
        if self.served and not is_positive(replies[0]):
            # A connection that has carried enough is often refused here; a fresh one decides.
            raise self.protocol.lose(
                ConnectionLost("the server accepts no more on this connection", reply=replies[0])
            )
        if lost is None and wants_message(replies[-1]):
            # A go-ahead without a reader is answered with just the dot (RFC 2920 section 3.1).
            # If that fails, what was refused stays refused, and the connection knows it is gone.
            yield self.protocol.ask(FINAL_DOT, replies=1, timeout=self.timeout)
        self.served += is_positive(replies[0])
        return opening_outcome(replies, relay=self.relay)

    def _unopened(
        self, lost: ConnectionLost, replies: Sequence[Reply]
    ) -> ConnectionLost | RelayUnavailable:
        if lost.timed_out and not (self.served or replies):
            return RelayUnavailable(
                f"{self.relay} does not answer MAIL FROM: {lost.reason}",
                hint="Try again later, or set a longer smtp.timeout.",
            )
        return lost

    def _lost_before_data(self, lost: ConnectionLost) -> Outcome:
        """The server said more than the go-ahead, before it had a word of the message."""
        if lost.reply is None or lost.reply.code < 400 or lost.reply.code == CLOSING:
            raise lost
        return message_outcome(lost.reply)

    def _without_receipt(self) -> _BrokenOff:
        lost = self.protocol.lost or ConnectionLost("the server did not answer")
        if lost.reply is not None and lost.reply.code == CLOSING:
            raise lost
        return _BrokenOff(
            unsent=ConnectionLost(f"{lost.reason}, in the middle of the message"),
            sent=Unknown(
                reason=f"{lost.reason}, after the message and before the server had answered it"
            ),
        )

    def _answered_early(self, reply: Reply) -> Outcome | _BrokenOff:
        """The server would not hear it out. What it did not hear would be taken for commands."""
        self.protocol.lose(ConnectionLost(_TOO_EARLY, reply=reply))
        if reply.code >= 400:
            return message_outcome(reply)
        return _BrokenOff(
            unsent=Deferred(reason=_TOO_EARLY, reply=reply),
            sent=Unknown(reason=f"{_TOO_EARLY}, with {reply}"),
        )

    def abort(self) -> None:
        """Drop the connection. A message without its final dot is not sent."""
        self.protocol.lose(ConnectionLost("we closed the connection"))

    async def quit(self) -> None:
        """Say QUIT and close; never longer than the timeout of a wait or two."""
        try:
            if self.usable:
                await self.protocol.run(self._say_quit())
        finally:
            await self.protocol.close(timeout=self.timeout)

    def _say_quit(self) -> Dialogue[None]:
        yield self.protocol.ask(_QUIT, replies=1, timeout=self.timeout)


def opening_commands(
    message: OutgoingMessage, extensions: Extensions, *, relay: str
) -> bytes | Rejected:
    """MAIL, RCPT and DATA, a line each, or why this reader cannot be mailed from here.

    Raises RelayUnavailable where the sender's address or the message is more than the server takes:
    that is nothing that a reader has done.
    """
    sender = _sender(message.envelope.mail_from, extensions, relay=relay)
    try:
        reader = wire_address(message.envelope.rcpt_to)
    except InvalidAddress as invalid:
        return Rejected(reason=f"the address {invalid.reason}")
    international = not (sender.isascii() and reader.isascii())
    if international and not extensions.smtputf8:
        return Rejected(reason=f"the address needs SMTPUTF8, and {relay} does not offer it")
    _check_message(message, extensions, relay=relay)
    parameters = f" SIZE={message.size}" if extensions.size else ""
    if extensions.eight_bit and (international or not message.ascii_only):
        parameters += " BODY=8BITMIME"
    if international:
        parameters += " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{parameters}\r\nRCPT TO:<{reader}>\r\nDATA\r\n".encode()


#: Without bounce addresses of their own, all messages of an edition have one sender.
_known_address = lru_cache(maxsize=64)(wire_address)


def _sender(mail_from: str, extensions: Extensions, *, relay: str) -> str:
    if not mail_from:
        return ""
    try:
        sender = _known_address(mail_from)
    except InvalidAddress as invalid:
        raise RelayUnavailable(
            f"the sender's address {mail_from!r} {invalid.reason}",
            hint="Give the newsletter a sender address such as news@example.org.",
        ) from invalid
    if not (extensions.smtputf8 or sender.isascii()):
        raise RelayUnavailable(
            f"the sender's address {mail_from} needs SMTPUTF8, and {relay} does not offer it",
            hint="Give the newsletter a sender address in ASCII.",
        )
    return sender


def _check_message(message: OutgoingMessage, extensions: Extensions, *, relay: str) -> None:
    if extensions.largest is not None and message.size > extensions.largest:
        raise RelayUnavailable(
            f"{relay} takes messages of at most {extensions.largest:,} octets; "
            f"this one has {message.size:,}",
            hint="Lower max_items, or ask whoever runs the server for a higher limit.",
        )
    if not message.ascii_only and not extensions.eight_bit:
        raise RelayUnavailable(
            f"the message contains octets above 127, and {relay} does not offer 8BITMIME",
            hint="Use a server that does; nearly all do.",
        )
