"""Rejections: a reader's own, or the fault of a server that refuses everybody.

A rejection is undecided until the server has accepted a message, and so has shown that it takes
messages from us. Many in a row without that, and no reader is to blame.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from digest.model.delivery import Delivery

#: So many rejections without one acceptance, and it is not the readers who are wrong: at the start
#: of an edition, and after the server has accepted messages of it from us.
_MOST_AT_FIRST: Final = 5
_MOST_IN_A_ROW: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A delivery that the server rejected, with what it said."""

    delivery: Delivery
    reply: str
    at: datetime


class RejectionGuard:
    """The rejections of a run since its last acceptance.

    `accepted_before`: servers have accepted messages of this edition in an earlier run.
    """

    def __init__(self, *, accepted_before: bool) -> None:
        self._accepted = False
        self._most = _MOST_IN_A_ROW if accepted_before else _MOST_AT_FIRST
        self._undecided: list[Rejection] = []

    @property
    def blames_server(self) -> bool:
        """Whether there are so many that it must be the server's fault."""
        return len(self._undecided) >= self._most

    def decides(self, rejection: Rejection) -> bool:
        """Whether this rejection is final at once; else it is kept until more is known.

        Whoever is rejected again, when others were accepted in between, cannot be written to.
        """
        if rejection.delivery.attempts > 1 and self._accepted:
            return True
        self._undecided.append(rejection)
        return False

    def accepted(self) -> list[Rejection]:
        """The server accepts messages from us: those that it rejected before are final."""
        self._accepted = True
        self._most = _MOST_IN_A_ROW
        return self.take_undecided()

    def take_undecided(self) -> list[Rejection]:
        """The rejections since the last acceptance; they are forgotten."""
        if not self._undecided:
            return []
        undecided, self._undecided = self._undecided, []
        return undecided
