"""The event loop that messages are sent in."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, as `asyncio.run` does, but with uvloop where that is installed.

    uvloop makes each message considerably cheaper (`pip install digest[fast]`). What exists before
    the first run is kept from the garbage collector: nearly all of it stays anyway.
    """
    run_to_end = _uvloop_or_asyncio()
    if not gc.get_freeze_count():
        # Once only: it starts the counts anew, and a service that did it again and again would
        # never come to a full collection.
        gc.freeze()
    return run_to_end(coroutine)


def _uvloop_or_asyncio() -> Callable[[Coroutine[Any, Any, T]], T]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run
