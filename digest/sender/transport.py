"""The protocol of every transport: SMTP, a pool of relays, a folder of files."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from digest.model.delivery import Outcome
from digest.sender.message_data import Envelope, Message

#: What is called right before a step that cannot be undone; see `Transport.send`.
Precommit = Callable[[], None]


def no_precommit() -> None:
    """The `before_commit` of a caller that keeps no record."""


class Transport(Protocol):
    """An async context manager that carries messages while it is open.

    `send` may be called from many tasks at once; `connections` says how many of them make sense.
    """

    @property
    def connections(self) -> int:
        """How many messages it carries at the same time."""

    async def __aenter__(self) -> Self:
        """Get ready. Raises RelayUnavailable where nothing could be carried anyway."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close in order, within a bounded time."""

    async def send(
        self, envelope: Envelope, message: Message, *, before_commit: Precommit = no_precommit
    ) -> Outcome:
        """Carry one message, complete and with CRLF line ends, and return its outcome.

        `message` may come in pieces: those that many messages share are best the same objects.

        Between two messages of a task the event loop has had a turn at least.

        `before_commit` is called right before each step that cannot be undone (the write that ends
        with the final dot): a second time only where the first has surely come to nothing. Until
        then the message is surely not sent, whatever happens: a crash, a cancelled task, an error
        in `before_commit` itself, which comes out of `send`. From then on it is Unknown unless
        `send` returns, or raises a DigestError.

        A DigestError always means that the message is surely not sent: RelayUnavailable where the
        server is at fault and no reader is to blame, any other SenderError where nobody could
        carry this message.
        """
