"""Wishes: what the main loop is woken for, from other threads and from signal handlers."""

from contextlib import suppress
from enum import StrEnum
from queue import Empty, SimpleQueue


class Wish(StrEnum):
    """TICK: look what is due. INGEST: read the sources. KEEP_HOUSE: prune. RELOAD: settings."""

    TICK = "tick"
    INGEST = "ingest"
    KEEP_HOUSE = "keep house"
    RELOAD = "reload"


class Wishes:
    """A set of wishes that one thread waits for. The same wish twice is one wish."""

    def __init__(self) -> None:
        # Not a threading.Event: a signal handler runs in the middle of the main thread, and would
        # wait for ever for a lock that the main thread holds. Only this queue may be put to there.
        self._reasons: SimpleQueue[Wish | None] = SimpleQueue()

    def add(self, wish: Wish) -> None:
        """Wake whoever waits. Safe from any thread and in a signal handler."""
        self._reasons.put(wish)

    def wake(self) -> None:
        """Wake whoever waits, without a wish. Safe in a signal handler."""
        self._reasons.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until there is a reason to wake, or for so long. Signals are handled meanwhile."""
        with suppress(Empty):
            self._reasons.put(self._reasons.get(timeout=seconds))

    def take(self) -> frozenset[Wish]:
        """The wishes so far; they are forgotten."""
        # What comes meanwhile is for the next time.
        taken = [self._reasons.get_nowait() for _ in range(self._reasons.qsize())]
        return frozenset(wish for wish in taken if wish is not None)
