"""Wishes: what the main loop is woken for, from other threads and from signal handlers."""

import threading
from enum import StrEnum


class Wish(StrEnum):
    """TICK: look what is due. INGEST: read the sources. KEEP_HOUSE: prune. RELOAD: settings."""

    TICK = "tick"
    INGEST = "ingest"
    KEEP_HOUSE = "keep house"
    RELOAD = "reload"


class Wishes:
    """A set of wishes that one thread waits for. The same wish twice is one wish."""

    def __init__(self) -> None:
        self._wishes: set[Wish] = set()
        self._any = threading.Event()

    def add(self, wish: Wish) -> None:
        """Wake whoever waits. Safe from any thread; adding to a set is one step."""
        self._wishes.add(wish)
        self._any.set()

    def wake(self) -> None:
        """Wake whoever waits, without a wish. Safe in a signal handler."""
        self._any.set()

    def wait(self, seconds: float) -> None:
        """Wait until there is a reason to wake, or for so long. Signals are handled meanwhile."""
        self._any.wait(seconds)

    def take(self) -> frozenset[Wish]:
        """The wishes so far; they are forgotten."""
        self._any.clear()
        taken: set[Wish] = set()
        while self._wishes:
            taken.add(self._wishes.pop())
        return frozenset(taken)
