"""The event loop that messages are sent in."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, as `asyncio.run` does, but with uvloop where that is installed.

    It takes a good part off the cost of each message (`pip install digest[fast]`).
    """
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)
