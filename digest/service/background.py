"""Chores: reading sources and keeping the house, beside the main loop."""

from collections.abc import Callable, Sequence
from datetime import datetime

from digest.config import Settings, SourceSettings
from digest.ingest.sources import SourceReport
from digest.publishing.maintenance import Pruned, prune
from digest.scheduler.service.aside import Aside
from digest.scheduler.service.gathering import read_all
from digest.service.reporter import Reporter


class Chores:
    """What is done aside, each at most once at a time. It is told by the main thread."""

    def __init__(self, reporter: Reporter, now: Callable[[], datetime]) -> None:
        self._reporter = reporter
        self._now = now
        self._sources: Aside[SourceReport] = Aside("sources")
        self._house: Aside[Pruned] = Aside("house")

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
