"""The queue of a run: deliveries claimed from the ledger, and results recorded in it, in batches.

Deliveries are claimed ahead of the workers, and outcomes written down behind them, many of both in
one transaction, in a thread of its own: the event loop does not wait for the disk. At no time are
more than `MOST` deliveries claimed and unrecorded: what a power cut can make Unknown is one batch.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from digest.errors import DatabaseBusy, StorageError
from digest.model.delivery import Delivery
from digest.storage import deliveries
from digest.storage.database import Database, open_database
from digest.storage.deliveries import AttemptResult, Batch

#: Deliveries that are claimed and not yet recorded, at most.
MOST: Final = 1000

#: Seconds after which a result is recorded even where no batch is full: others look at it.
_RECORD_EVERY: Final = 0.5

#: How often a busy database is tried before the run gives up, 10 seconds each time.
_TRIES: Final = 30

Clock = Callable[[], datetime]

#: The time zones whose readers are not mailed at an instant; "" stands for readers without one.
QuietZones = Callable[[datetime], Sequence[str]]
_T = TypeVar("_T")


def no_quiet_zones(_now: datetime) -> Sequence[str]:
    """It is nobody's quiet hour."""
    return ()


class DeliveryQueue:
    """The deliveries of one run: claimed for its workers, and their results on the way back.

    An async context manager: leaving it records every result and releases what was not tried.
    `recorded` is called with the ids of deliveries whose results have reached the ledger.
    """

    def __init__(
        self,
        database: Path,
        edition_id: int,
        *,
        clock: Clock,
        recorded: Callable[[Iterable[int]], None],
        quiet_zones: QuietZones = no_quiet_zones,
    ) -> None:
        self._database = database
        self._edition_id = edition_id
        self._clock = clock
        self._recorded = recorded
        self._quiet_zones = quiet_zones
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._open = ExitStack()
        self._db: Database | None = None
        self._waiting: deque[Delivery] = deque()
        self._results: list[AttemptResult] = []
        self._unsent: list[tuple[int, str]] = []
        self._after = 0
        # Whoever was never tried comes first: a few whom the server always refuses, at the head
        # of the queue, would keep everybody else from their turn, run after run.
        self._untried = True
        self._more = True
        self._under_way = 0
        self._last_exchange = time.monotonic()
        self._exchanging: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the ledger."""
        try:
            self._db = await self._in_thread(
                lambda: self._open.enter_context(open_database(self._database))
            )
        except BaseException:
            # Cancelled meanwhile, perhaps: the thread has opened it, and only the thread may close.
            self._thread.submit(self._open.close)
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record what there is, release what was not tried, and close."""
        try:
            if self._exchanging is not None:
                await asyncio.wait([self._exchanging])
            self._more = False
            self._unsent += [(delivery.id, "") for delivery in self._waiting]
            self._waiting.clear()
            await self._exchange()
        finally:
            await self._in_thread(self._open.close)
            self._thread.shutdown()

    async def take(self) -> Delivery | None:
        """The next delivery to attempt; None when there is none left.

        Raises StorageError if the ledger cannot be written: then nothing more should leave.
        """
        while True:
            self._end_exchange()
            if self._exchanging is None and self._is_time():
                self._exchanging = asyncio.create_task(self._exchange())
            if self._waiting:
                self._under_way += 1
                return self._waiting.popleft()
            if self._exchanging is None:
                return None
            await asyncio.wait([self._exchanging])

    def settle(self, result: AttemptResult) -> None:
        """Record what an attempt came to: with the next exchange it is in the ledger."""
        self._under_way -= 1
        self._results.append(result)

    def give_back(self, delivery: Delivery, reason: str) -> None:
        """The delivery was surely not sent: its reader keeps the place in the queue."""
        self._under_way -= 1
        self._unsent.append((delivery.id, reason))

    def _is_time(self) -> bool:
        """Whether workers will soon want more, or results have waited for long enough."""
        if self._more and len(self._waiting) <= MOST // 4:
            return True
        return bool(self._results) and time.monotonic() - self._last_exchange > _RECORD_EVERY

    def _end_exchange(self) -> None:
        if self._exchanging is not None and self._exchanging.done():
            exchange, self._exchanging = self._exchanging, None
            exchange.result()

    async def _exchange(self) -> None:
        """Record the results, and claim as many as there is room for, in one transaction."""
        results, self._results = self._results, []
        unsent, self._unsent = self._unsent, []
        room = MOST - len(self._waiting) - self._under_way if self._more else 0
        if not (results or unsent or room > 0):
            return
        try:
            batch = await self._in_thread(lambda: self._write(results, unsent, room))
        except BaseException:
            # Not in the ledger: still ours to record, if there is another chance.
            self._results[:0] = results
            self._unsent[:0] = unsent
            raise
        self._last_exchange = time.monotonic()
        self._recorded(result.delivery_id for result in results)
        if batch is not None:
            self._waiting.extend(batch.deliveries)
            self._continue_after(batch.last_id)

    def _continue_after(self, last_id: int | None) -> None:
        if last_id is not None:
            self._after = last_id
        elif self._untried:
            self._untried, self._after = False, 0
        else:
            self._more = False

    def _write(
        self, results: list[AttemptResult], unsent: list[tuple[int, str]], room: int
    ) -> Batch | None:
        db = self._db
        if db is None:
            raise StorageError("the ledger is not open")
        for attempt in range(1, _TRIES + 1):
            try:
                with db.transaction():
                    deliveries.record(db, results)
                    deliveries.release(db, unsent)
                    if room <= 0:
                        return None
                    now = self._clock()
                    return deliveries.claim(
                        db,
                        self._edition_id,
                        now,
                        after=self._after,
                        most=room,
                        untried=self._untried,
                        quiet_zones=self._quiet_zones(now),
                    )
            except DatabaseBusy:
                if attempt == _TRIES:
                    raise
        return None

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        # Shielded: a transaction that has begun must end before its connection is closed.
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)
