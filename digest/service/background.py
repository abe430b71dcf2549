"""Background jobs, beside the main loop, which has slots to process: reading sources, pruning."""

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


class BackgroundJobs:
    """Each runs at most once at a time. The main thread begins them and reports their results."""

    def __init__(self, reporter: Reporter, now: Callable[[], datetime]) -> None:
        self._reporter = reporter
        self._now = now
        self.sources: BackgroundTask[SourceReport] = BackgroundTask("sources")
        self.pruning: BackgroundTask[PruneResult] = BackgroundTask("pruning")

    def read(self, settings: Settings, sources: Sequence[SourceSettings]) -> None:
        """Begin to read these sources."""
        now = self._now()
        if sources:
            self.sources.begin(lambda: read_all(settings, sources, now))

    def prune(self, settings: Settings) -> None:
        """Begin to delete what `retention` allows."""
        now = self._now()
        self.pruning.begin(lambda: [prune(settings, now=now)])

    def report(self) -> None:
        """Log what has come of them since the last time."""
        for source in self.sources.results():
            if isinstance(source, Exception):
                self._reporter.failed("ingest-failed", source)
            else:
                self._reporter.source(source)
        for pruned in self.pruning.results():
            if isinstance(pruned, Exception):
                self._reporter.failed("pruning-failed", pruned)
            elif pruned.editions:
                self._reporter.log.info(
                    "pruned", editions=pruned.editions, deliveries=pruned.deliveries
                )


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
        """Wait until it is done, or for so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def results(self) -> list[T | Exception]:
        """The results since the last time, and what failed."""
        return [self._results.get() for _ in range(self._results.qsize())]

    def _run(self, work: Callable[[], Iterable[T]]) -> None:
        try:
            for result in work():
                self._results.put(result)
        except Exception as error:  # noqa: BLE001  # reported by whoever asks for the results
            self._results.put(error)


def read_all(
    settings: Settings, sources: Sequence[SourceSettings], now: datetime
) -> Iterator[SourceReport]:
    """Read them together; if that ends in an error that nobody foresaw, one after the other.

    Raises StorageErrors.
    """
    try:
        yield from ingest(settings, sources, now=now)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001  # the service outlives whatever a source does to it
        if len(sources) == 1:
            yield SourceReport(source=sources[0].name, error=_unexpected(error))
            return
        for source in sources:
            yield from read_all(settings, (source,), now)


def _unexpected(cause: Exception) -> SourceError:
    error = SourceError(
        f"unexpected error: {type(cause).__name__}: {cause}",
        hint="`digest --debug ingest` shows where it comes from. Please report it.",
    )
    error.__cause__ = cause
    return error
