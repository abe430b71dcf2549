"""What a person sees and can do while messages are sent: a progress bar, and Ctrl-C.

The bar is on standard error; in a pipe there is none. `digest status` shows the progress from any
other terminal.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from digest.cli.console import error_console, note
from digest.model.delivery import FINAL_DELIVERIES, DeliveryState, count_in
from digest.publishing.delivery.cancellation import CancelToken
from digest.publishing.delivery.run import RunPlan
from digest.publishing.delivery.worker import Progress
from digest.service.shutdown import Shutdown

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

#: Seconds between two updates: an update for each message would slow down the sending.
_INTERVAL: Final = 0.2

#: The rate is averaged over this many seconds.
_WINDOW: Final = 5.0


class Meter:
    """The rate over the last few seconds. Times are seconds of a monotonic clock."""

    def __init__(self, now: float) -> None:
        self._samples = deque([(now, 0)])

    def rate(self, now: float, done: int) -> float:
        """The rate when `done` are done at `now`; 0 where no time has passed."""
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        return (done - before) / (now - since) if now > since else 0.0


def time_left(rate: float, remaining: int) -> str:
    """The time remaining, as `0:08 left` or `1:02:03 left`; empty if it is not known."""
    if rate <= 0 or remaining <= 0:
        return ""
    minutes, seconds = divmod(round(remaining / rate), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


@contextmanager
def delivery_progress() -> Iterator[Callable[[RunPlan], Progress]]:
    """A bar of deliveries, by outcome. Yields what `send` asks for once it has a plan."""
    console = error_console()
    if not console.is_terminal:
        yield lambda _plan: lambda _state: None  # without a terminal, nothing is shown
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[trouble]}", style="yellow"),
        console=console,
        transient=True,
    )
    with bar:
        yield lambda plan: _started(bar, plan)


def _started(bar: "Bar", plan: RunPlan) -> Progress:
    withheld = plan.counts[DeliveryState.WITHHELD]
    before = count_in(plan.counts, FINAL_DELIVERIES) - withheld
    total = sum(plan.counts.values()) - withheld
    verb = "Finishing" if plan.resumed else "Sending"
    task = bar.add_task(
        f"{verb} No. {plan.edition.number}", total=total, completed=before, pace="", trouble=""
    )
    outcomes: Counter[DeliveryState] = Counter()
    updated = time.monotonic()
    meter = Meter(updated)

    def advance(state: DeliveryState) -> None:
        nonlocal updated
        outcomes[state] += 1
        now = time.monotonic()
        done = outcomes.total()
        if now - updated < _INTERVAL and before + done < total:
            return
        updated = now
        pace = _pace(meter.rate(now, done), total - before - done)
        trouble = ", ".join(f"{n:,} {state}" for state, n in outcomes.items() if state != "sent")
        bar.update(task, completed=before + done, pace=pace, trouble=trouble)

    return advance


def _pace(rate: float, remaining: int) -> str:
    return " ".join(filter(None, (f"{rate:,.0f}/s" if rate else "", time_left(rate, remaining))))


@contextmanager
def cancelled_by_signals() -> Iterator[CancelToken]:
    """A token that the first signal cancels; the second one ends the run at once."""
    shutdown = Shutdown()
    with shutdown.on_signals():
        yield shutdown.attach(CancelToken(on_shutdown=_report_stopping))


def _report_stopping() -> None:
    note("stopping after the messages being sent now; Ctrl-C again stops at once")
