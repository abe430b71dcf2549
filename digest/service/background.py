"""Chores: reading sources and keeping the house, beside the main loop.

Aside: work that takes its time, in a thread beside the main loop, which has slots to see to.

Gathering: all sources are read, whatever one of them does.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from digest.config import Settings, SourceSettings
from digest.errors import SourceError, StorageError
from digest.ingest.sources import SourceReport
from digest.publishing.maintenance import PruneResult, ingest, prune
from digest.service.reporter import Reporter

T = TypeVar("T")


class BackgroundTask(Generic[T]):
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


def read_all(
    settings: Settings, read_from: Sequence[SourceSettings], now: datetime
) -> Iterator[SourceReport]:
    """Read them at once; where that ends in something unforeseen, one after the other.

    Raises StorageErrors.
    """
    if not read_from:
        return
    try:
        yield from ingest(settings, read_from, now=now)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001  # the service outlives whatever a source does to it
        if len(read_from) == 1:
            yield SourceReport(source=read_from[0].name, error=_unforeseen(error))
            return
        for source in read_from:
            yield from read_all(settings, (source,), now)


def _unforeseen(error: Exception) -> SourceError:
    found = SourceError(
        f"something we did not foresee: {type(error).__name__}: {error}",
        hint="`digest --debug ingest` shows where it comes from. Please report it.",
    )
    found.__cause__ = error
    return found


class BackgroundJobs:
    """What is done aside, each at most once at a time. It is told by the main thread."""

    def __init__(self, reporter: Reporter, now: Callable[[], datetime]) -> None:
        self._reporter = reporter
        self._now = now
        self._sources: BackgroundTask[SourceReport] = BackgroundTask("sources")
        self._house: BackgroundTask[PruneResult] = BackgroundTask("house")

    @property
    def reading(self) -> bool:
        """Whether sources are being read."""
        return self._sources.busy

    def read(self, settings: Settings, sources: Sequence[SourceSettings]) -> None:
        """Begin to read these sources."""
        now = self._now()
        if sources:
            self._sources.begin(lambda: read_all(settings, sources, now))

    def keep_house(self, settings: Settings) -> None:
        """Begin to prune what `retention` allows."""
        now = self._now()
        self._house.begin(lambda: [prune(settings, now=now)])

    def wait_for_sources(self, seconds: float) -> None:
        """Until the sources have been read, or for so long."""
        self._sources.wait(seconds)

    def wait_for_house(self, seconds: float) -> None:
        """Until the house has been kept, or for so long."""
        self._house.wait(seconds)

    def tell(self) -> None:
        """Write down what has come of them since the last time."""
        for news in self._sources.results():
            if isinstance(news, Exception):
                self._reporter.failed("ingest-failed", news)
            else:
                self._reporter.source(news)
        for done in self._house.results():
            if isinstance(done, Exception):
                self._reporter.failed("pruning-failed", done)
            elif done.editions:
                self._reporter.log.info(
                    "pruned", editions=done.editions, deliveries=done.deliveries
                )
