"""Progress on a terminal: a bar on standard error, and nothing at all in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from digest.cli.output import messages

if TYPE_CHECKING:
    from digest.model.delivery import DeliveryState
    from digest.publishing.deliver import Progress
    from digest.publishing.round import Plan


@contextmanager
def delivery_progress() -> Iterator[Callable[["Plan"], "Progress"]]:
    """A bar of deliveries, by outcome. Yields what `send` asks for once it has a plan."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = messages()
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[trouble]}", style="yellow"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

    def start(plan: "Plan") -> "Progress":
        from digest.model.delivery import DeliveryState

        final = (DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.UNKNOWN)
        done = sum(plan.counts[state] for state in final)
        verb = "Finishing" if plan.resumed else "Sending"
        task = bar.add_task(
            f"{verb} No. {plan.edition.number}",
            total=sum(plan.counts.values()) - plan.counts[DeliveryState.WITHHELD],
            completed=done,
            trouble="",
        )
        troubles: dict[DeliveryState, int] = {}

        def advance(state: "DeliveryState") -> None:
            if state is not DeliveryState.SENT:
                troubles[state] = troubles.get(state, 0) + 1
            listed = ", ".join(f"{n} {name}" for name, n in troubles.items())
            bar.update(task, advance=1, trouble=listed)

        return advance

    with bar:
        yield start
