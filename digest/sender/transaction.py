"""A session: one connection that carries message after message, and knows when one is committed.

The commit point is the write that ends with the final dot. Until then the message is surely not
sent, and whatever goes wrong is raised as LineLost. From then on only the server's reply can tell
(421 says that it was not taken), with one exception: as long as the end of what was written is
still in our own memory, the dot has not left. Without either the outcome is Unknown.

What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1).

The opening of a transaction: MAIL, RCPT and DATA, with what this server understands.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from digest.errors import RelayUnavailable
from digest.lib.email_address import InvalidAddress, wire_address
from digest.model.delivery import Deferred, Outcome, Rejected, Reply, Unknown
from digest.sender.message_data import FINAL_DOT, OutgoingMessage
from digest.sender.protocol import CLOSING, ConnectionLost, SmtpProtocol, Then
from digest.sender.reply_outcomes import (
    go_ahead,
    is_positive,
    message_outcome,
    opening_outcome,
    wants_message,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extensions that matter here. `largest` is the SIZE limit in octets, None without one."""

    names: tuple[str, ...] = ()
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
            names=tuple(sorted(offers)),
            pipelining="PIPELINING" in offers,
            eight_bit="8BITMIME" in offers,
            smtputf8="SMTPUTF8" in offers,
            size="SIZE" in offers,
            # RFC 1870 section 4: zero means that there is no fixed limit.
            largest=int(limit) or None if limit.isascii() and limit.isdigit() else None,
        )


#: So many commands make an opening.
COMMANDS: Final = 3


def opening_commands(
    letter: OutgoingMessage, extensions: Extensions, *, relay: str
) -> bytes | Rejected:
    """The three commands of a letter, a line each, or why this reader cannot be mailed from here.

    Raises RelayUnavailable where the sender's address or the message is more than the server takes:
    that is nothing that a reader has done.
    """
    sender = _sender(letter.envelope.mail_from, extensions, relay=relay)
    try:
        reader = wire_address(letter.envelope.rcpt_to)
    except InvalidAddress as invalid:
        return Rejected(reason=f"the address {invalid.reason}")
    international = not (sender.isascii() and reader.isascii())
    if international and not extensions.smtputf8:
        return Rejected(reason=f"the address needs SMTPUTF8, and {relay} does not offer it")
    _check_message(letter, extensions, relay=relay)
    parameters = f" SIZE={letter.size}" if extensions.size else ""
    if extensions.eight_bit and (international or not letter.ascii_only):
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


def _check_message(letter: OutgoingMessage, extensions: Extensions, *, relay: str) -> None:
    if extensions.largest is not None and letter.size > extensions.largest:
        raise RelayUnavailable(
            f"{relay} takes messages of at most {extensions.largest:,} octets; "
            f"this one has {letter.size:,}",
            hint="Lower max_items, or ask whoever runs the server for a higher limit.",
        )
    if not letter.ascii_only and not extensions.eight_bit:
        raise RelayUnavailable(
            f"the message holds octets above 127, and {relay} does not offer 8BITMIME",
            hint="Send by way of a server that does; nearly all do.",
        )


_RSET: Final = b"RSET\r\n"
_QUIT: Final = b"QUIT\r\n"
_TOO_EARLY: Final = "the server answered in the middle of the message"


class SmtpSession:
    """One open connection. `served` counts the readers it has had an answer about.

    `timeout` is in seconds and holds for each reply, but for the one to the final dot: that has
    `timeout_after_data`.
    """

    def __init__(
        self,
        dialogue: SmtpProtocol,
        extensions: Extensions,
        *,
        relay: str,
        timeout: float,
        timeout_after_data: float,
    ) -> None:
        self._dialogue = dialogue
        self._extensions = extensions
        self._relay = relay
        self._timeout = timeout
        self._timeout_after_data = timeout_after_data
        self._left_open = False
        self.served = 0

    @property
    def usable(self) -> bool:
        """Whether the connection still stands, as far as we have heard."""
        return self._dialogue.lost is None

    async def send(self, letter: OutgoingMessage, before_commit: Callable[[], None]) -> Outcome:
        """Carry one message.

        Raises ConnectionLost where it is surely not sent and another connection may do better, and
        RelayUnavailable where no other one would. Whatever else ends it, a cancelled task or an
        error in `before_commit`, takes the connection along.
        """
        opening = opening_commands(letter, self._extensions, relay=self._relay)
        if isinstance(opening, Rejected):
            return opening
        try:
            return await self._carry(opening, letter.data, before_commit)
        except (ConnectionLost, RelayUnavailable):
            raise
        except BaseException:
            self.abort()
            raise

    async def _carry(
        self, opening: bytes, data: Sequence[bytes], before_commit: Callable[[], None]
    ) -> Outcome:
        """The transaction: two questions, the second of which ends with the final dot.

        It is asked in the turn of the event loop in which the go-ahead comes: one awakening of this
        task for a message, and not two.
        """

        def commit(opened: Sequence[Reply]) -> None:
            if go_ahead(opened):
                before_commit()
                self.served += 1
                self._left_open = False
                self._dialogue.go_on(data, replies=1, within=self._timeout_after_data)

        begin = self._open_anew if self._left_open else self._open
        replies = await begin(opening, commit)
        if self._left_open:
            lost = self._dialogue.lost
            if lost is None or not go_ahead(replies):
                return await self._refused(replies)
            return self._unheard(lost)
        if not replies:
            return await self._without_receipt()
        if self._dialogue.holding_back:
            return await self._answered_early(replies[0])
        return message_outcome(replies[0])

    def _open(
        self, opening: bytes, then: Then, replies: int = COMMANDS
    ) -> Awaitable[Sequence[Reply]]:
        """The replies to the opening as far as they came, or to what followed (`Dialogue.ask`)."""
        self._left_open = True
        if self._extensions.pipelining:
            return self._dialogue.ask(opening, replies=replies, within=self._timeout, then=then)
        return self._ask_one_by_one(opening, then)

    async def _open_anew(self, opening: bytes, then: Then) -> Sequence[Reply]:
        """As `_open`, after a transaction that was refused and is to be forgotten first."""

        def forgotten(replies: Sequence[Reply]) -> None:
            if is_positive(replies[0]):
                then(replies[1:])

        replies = await self._open(_RSET + opening, forgotten, 1 + COMMANDS)
        if not self._left_open:
            return replies
        if replies and not is_positive(replies[0]):
            raise self._dialogue.lose(ConnectionLost("the server refused RSET", reply=replies[0]))
        return replies[1:]

    async def _ask_one_by_one(self, commands: bytes, then: Then) -> Sequence[Reply]:
        """As `_open`, for a server that wants the next command only once it has answered."""
        replies: list[Reply] = []
        *questions, last = commands.splitlines(keepends=True)
        for question in questions:
            replies += await self._dialogue.ask(question, replies=1, within=self._timeout)
            if self._dialogue.lost is not None or not is_positive(replies[-1]):
                return replies
        found = await self._dialogue.ask(
            last, replies=1, within=self._timeout, then=lambda answer: then([*replies, *answer])
        )
        return [*replies, *found] if self._left_open else found

    async def _refused(self, replies: Sequence[Reply]) -> Outcome:
        """The outcome of an opening without a go-ahead. The first refusal in it decides."""
        lost = self._dialogue.lost
        if lost is not None and all(map(is_positive, replies)):
            raise self._unopened(lost, replies)
        if self.served and not is_positive(replies[0]):
            # A connection that has carried enough is often refused here; a fresh one decides.
            raise self._dialogue.lose(
                ConnectionLost("the server takes no more on it", reply=replies[0])
            )
        if lost is None and wants_message(replies[-1]):
            # A go-ahead without a reader is answered with just the dot (RFC 2920 section 3.1).
            # If that fails, what was refused stays refused, and the connection knows it is gone.
            await self._dialogue.ask(FINAL_DOT, replies=1, within=self._timeout)
        self.served += is_positive(replies[0])
        return opening_outcome(replies, relay=self._relay)

    def _unopened(
        self, lost: ConnectionLost, replies: Sequence[Reply]
    ) -> ConnectionLost | RelayUnavailable:
        if lost.hung and not (self.served or replies):
            return RelayUnavailable(
                f"{self._relay} does not answer MAIL FROM: {lost.reason}",
                hint="Try again later, or set a longer smtp.timeout.",
            )
        return lost

    def _unheard(self, lost: ConnectionLost) -> Outcome:
        """The server said more than the go-ahead, before it had a word of the message."""
        if lost.reply is None or lost.reply.code < 400 or lost.reply.code == CLOSING:
            raise lost
        return message_outcome(lost.reply)

    async def _without_receipt(self) -> Outcome:
        lost = self._dialogue.lost or ConnectionLost("the server did not answer")
        if lost.reply is not None and lost.reply.code == CLOSING:
            raise lost
        if await self._dialogue.held_back():
            raise ConnectionLost(f"{lost.reason}, in the middle of the message")
        return Unknown(reason=f"{lost.reason}, after the message and before its receipt")

    async def _answered_early(self, reply: Reply) -> Outcome:
        """The server would not hear it out. What it did not hear would be taken for commands."""
        self._dialogue.lose(ConnectionLost(_TOO_EARLY, reply=reply))
        if reply.code >= 400:
            return message_outcome(reply)
        if await self._dialogue.held_back():
            return Deferred(reason=_TOO_EARLY, reply=reply)
        return Unknown(reason=f"{_TOO_EARLY}, with {reply}")

    def abort(self) -> None:
        """Drop the connection. A message without its final dot is not sent."""
        self._dialogue.lose(ConnectionLost("we closed the connection"))

    async def quit(self) -> None:
        """Take leave in order, and close; never longer than the timeout of a wait or two."""
        try:
            if self.usable:
                await self._dialogue.ask(_QUIT, replies=1, within=self._timeout)
        finally:
            await self._dialogue.closed(within=self._timeout)
