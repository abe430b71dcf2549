"""The event loop is run again and again in a service that lives for months."""

import gc
import weakref
from collections.abc import Callable

from digest.sender import event_loop


class Link:
    """Points to itself: only the garbage collector can free it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_became_garbage_between_two_runs_is_collected_in_the_second() -> None:
    async def alive(link: Callable[[], Link | None]) -> bool:
        gc.collect()
        return link() is not None

    event_loop.run(alive(lambda: None))
    link = weakref.ref(Link())
    still_alive = event_loop.run(alive(link))
    assert not still_alive


def test_a_run_does_not_start_the_counts_of_the_garbage_collector_anew() -> None:
    async def nothing() -> None:
        pass

    event_loop.run(nothing())
    gc.disable()
    try:
        kept = [Link() for _ in range(1000)]
        event_loop.run(nothing())
        assert gc.get_count()[0] > len(kept) // 2
    finally:
        gc.enable()
