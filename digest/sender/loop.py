"""The event loop that messages are sent in."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, as `asyncio.run` does, but with uvloop where that is installed.

    It takes a good part off the cost of each message (`pip install digest[fast]`). Meanwhile the
    garbage collector passes over what is there already: nearly all of it stays.
    """
    run_to_end = _uvloop_or_asyncio()
    gc.freeze()
    try:
        return run_to_end(coroutine)
    finally:
        gc.unfreeze()


def _uvloop_or_asyncio() -> Callable[[Coroutine[Any, Any, T]], T]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run
