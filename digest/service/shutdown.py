"""Shutdown: the signals that end `digest run`, `digest send` and `digest resume`.

The first SIGTERM or Ctrl-C asks for an end in order, for which there may be a timeout. The second
one, or the end of that time, is obeyed at once. SIGHUP means what the process makes of it: the
service reads its settings again, a command whose terminal was closed ends.
Nothing is logged and no lock is taken here: a signal may come in the middle of anything.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from digest.publishing.delivery.cancellation import CancelReason, CancelToken

Handler = Callable[..., object]

#: A timer cannot be set to nothing.
_SHORTEST_TIMEOUT: Final = 0.1


def _interrupt() -> None:
    """What a signal comes to outside a run, where nobody asks whether to end."""
    raise KeyboardInterrupt


class Shutdown:
    """Whether the process is to end, and how. Made and used in the main thread.

    `timeout` is in seconds. A first signal outside a run calls `when_idle`: to wake whoever looks
    at `requested`. `on_hangup` is called for SIGHUP, which otherwise is a signal like the others.
    """

    def __init__(
        self,
        *,
        timeout: float | None = None,
        when_idle: Callable[[], None] = _interrupt,
        on_hangup: Callable[[], None] | None = None,
    ) -> None:
        self.requested = False
        #: Messages under way were not waited for: some deliveries may be Unknown.
        self.at_once = False
        self.timeout = timeout
        self._when_idle = when_idle
        self._on_hangup = on_hangup
        self._token: CancelToken | None = None

    def attach(self, token: CancelToken) -> CancelToken:
        """From now on signals cancel this token; it is cancelled if one has come already."""
        self._token = token
        if self.requested:
            token.cancel(CancelReason.SHUTDOWN)
        return token

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Handle signals. Their handlers from before are restored afterwards."""
        handlers: dict[signal.Signals, Handler] = {
            signal.SIGINT: self._on_signal,
            signal.SIGTERM: self._on_signal,
        }
        if hasattr(signal, "SIGHUP"):  # Windows has neither.
            hang_up = self._on_hangup
            handlers[signal.SIGHUP] = (lambda *_: hang_up()) if hang_up else self._on_signal
            handlers[signal.SIGALRM] = self._end_at_once
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            if self.timeout is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        if self.requested:
            self._end_at_once()
            return
        self.requested = True
        if self.timeout is not None:
            signal.setitimer(signal.ITIMER_REAL, max(self.timeout, _SHORTEST_TIMEOUT))
        if self._token is not None and self._token.task is not None:
            self._token.shut_down()
            return
        if self._token is not None:
            # Its run may be about to begin, and looks at this first.
            self._token.cancel(CancelReason.SHUTDOWN)
        self._when_idle()

    def _end_at_once(self, *_: object) -> None:
        self.at_once = True
        if self._token is None or self._token.task is None:
            raise KeyboardInterrupt
        self._token.abort()
