"""Turns: a round of delivery lasts as long as nobody else has to wait for it."""

from collections.abc import Callable
from typing import Final

from digest.publishing.delivery.report import Stop

#: Seconds that messages under way have to get to their final dot, once the round is to end. One
#: that a limit keeps waiting is called off then; one that has had its dot is waited for.
GRACE: Final = 5.0


class Turn:
    """One round's turn: `lasts` seconds, while `goes_on`. `steady` only goes forward."""

    def __init__(
        self,
        stop: Stop,
        *,
        lasts: float,
        goes_on: Callable[[], bool],
        call_off: Callable[[], None],
        steady: Callable[[], float],
    ) -> None:
        self._stop = stop
        self._until = steady() + lasts
        self._goes_on = goes_on
        self._call_off = call_off
        self._steady = steady
        self._asked_at: float | None = None

    def look(self) -> bool:
        """Whether the round may go on; to be asked again and again until it has ended."""
        now = self._steady()
        if self._stop.requested:
            if self._asked_at is None:
                self._asked_at = now
            elif now >= self._asked_at + GRACE:
                self._call_off()
        return now < self._until and self._goes_on()
