"""Aside: work that takes its time, in a thread beside the main loop, which has slots to see to."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Does one thing at a time. Its thread dies with the process: work must bear that."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._results: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, work: Callable[[], Iterable[T]]) -> None:
        """Begin, unless something is being done at the moment."""
        if self.busy:
            return
        self._thread = threading.Thread(
            target=self._run, args=(work,), name=self._name, daemon=True
        )
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until it is done, or for so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def results(self) -> list[T | Exception]:
        """What came of it since the last time, and what it was that went wrong."""
        found = []
        while not self._results.empty():
            found.append(self._results.get())
        return found

    def _run(self, work: Callable[[], Iterable[T]]) -> None:
        try:
            for result in work():
                self._results.put(result)
        except Exception as error:  # noqa: BLE001  # told by whoever asks for the results
            self._results.put(error)
