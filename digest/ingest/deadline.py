"""Work that is given up when it takes too long."""

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLong(BaseException):
    """The time is up. Not an Exception: the work must not catch it and go on."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns. Raises TooLong if that takes longer.

    The work runs in the calling thread, at its full speed, and is ended between two steps of the
    interpreter: one call into C that never returns goes on.
    """
    worker = ctypes.c_ulong(threading.get_ident())
    deciding = threading.Lock()
    done = False

    def give_up() -> None:
        with deciding:
            if not done:
                # The interpreter's own way to raise in another thread (C API, Thread State).
                ctypes.pythonapi.PyThreadState_SetAsyncExc(worker, ctypes.py_object(TooLong))

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        # Whoever holds the lock first decides: after this nothing is raised any more.
        with deciding:
            done = True
        timer.cancel()
