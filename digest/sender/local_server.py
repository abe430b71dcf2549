"""A real SMTP server on a free port of this machine, for the demo and for trying things out."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from digest.errors import SenderError

if TYPE_CHECKING:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, Envelope, Session

_LOOPBACK: Final = "127.0.0.1"

#: Seconds for its thread to come up. aiosmtpd gives it 5, which a machine under load needs.
_READY: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message as it arrived: the envelope's addresses, and the bytes after dot-unstuffing."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    message: bytes


class LocalServer:
    """A context manager: the server listens inside, in a thread of its own.

    `messages` holds what has arrived so far. `on_message` is called in the server's thread before
    a message is accepted; where it raises, the message is deferred with a 4yz.
    """

    def __init__(self, on_message: Callable[[ReceivedMessage], None] | None = None) -> None:
        self._on_message = on_message
        self._lock = threading.Lock()
        self._messages: list[ReceivedMessage] = []
        self._controller: Controller | None = None
        self.host = _LOOPBACK
        self.port = 0

    @property
    def messages(self) -> list[ReceivedMessage]:
        """What has arrived so far, in order."""
        with self._lock:
            return list(self._messages)

    def __enter__(self) -> Self:
        """Listen. Raises SenderError where this machine does not let us."""
        self._controller = free_port_controller(self)
        self._controller.start()
        self.port = self._controller.port
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, and wait for the thread."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(  # noqa: N802 (aiosmtpd finds its hooks by name)
        self, server: "SMTP", session: "Session", envelope: "Envelope"
    ) -> str:
        """Take a message (called by aiosmtpd)."""
        received = ReceivedMessage(
            mail_from=envelope.mail_from or "",
            rcpt_to=tuple(envelope.rcpt_tos),
            message=bytes(envelope.original_content or b""),
        )
        if self._on_message is not None:
            self._on_message(received)
        with self._lock:
            self._messages.append(received)
            return f"250 2.0.0 message {len(self._messages)} has arrived"

    async def handle_exception(self, error: Exception) -> str:
        """Answer where `on_message` failed (called by aiosmtpd, which would log a traceback)."""
        return f"451 4.3.0 the message cannot be kept: {type(error).__name__}"


def free_port_controller(handler: object, **options: Any) -> "Controller":
    """An aiosmtpd controller, not started yet, that already holds a free loopback port.

    `options` are aiosmtpd's own. Raises SenderError where this machine does not let us listen.
    """
    from aiosmtpd.controller import Controller

    class OnSocket(Controller):
        """Listens on a socket that is bound already: asking for "any port" is not foreseen."""

        def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
            invoker: Any = self._factory_invoker
            return self.loop.create_server(invoker, sock=listener, ssl=self.ssl_context)

    try:
        listener = socket.create_server((_LOOPBACK, 0))
    except OSError as error:
        raise SenderError(
            f"cannot listen on {_LOOPBACK}: {error.strerror or error}",
            hint="This machine has no loopback network, or forbids servers on it.",
        ) from error
    # The name is said in the greeting; without one, aiosmtpd asks DNS for this machine's.
    settings: dict[str, Any] = {"server_hostname": "localhost", "ready_timeout": _READY} | options
    port = listener.getsockname()[1]
    return OnSocket(handler, hostname=_LOOPBACK, port=port, **settings)
