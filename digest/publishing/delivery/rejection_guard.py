"""Refusals: a reader's own, or the fault of a server that refuses everybody.

A refusal is kept until the server has taken a message, and so has shown that it takes messages
from us. Many in a row without that, and nobody is blamed.
"""

from typing import Final

from digest.storage.deliveries import AttemptResult

#: So many refusals without one acceptance, and it is not the readers who are wrong: at the start
#: of an edition, and after the server has taken messages of it from us.
_TO_ALL: Final = 5
_IN_A_ROW: Final = 25


class RejectionGuard:
    """The refusals of a run since its last acceptance.

    `accepted_before`: the server has taken messages of this edition in an earlier run.
    """

    def __init__(self, *, accepted_before: bool) -> None:
        self._accepted = False
        self._most = _IN_A_ROW if accepted_before else _TO_ALL
        self._kept: list[tuple[AttemptResult, AttemptResult]] = []

    @property
    def of_everybody(self) -> bool:
        """Whether there are so many that it must be the server's fault."""
        return len(self._kept) >= self._most

    def add(
        self, own: AttemptResult, otherwise: AttemptResult, *, again: bool
    ) -> AttemptResult | None:
        """A refusal: what is written down if it is the reader's `own`, and what otherwise.

        Returns what can be written down right now: whoever is refused `again`, when others were
        accepted in between, is a reader who cannot be written to.
        """
        if again and self._accepted:
            return own
        self._kept.append((own, otherwise))
        return None

    def accepted(self) -> list[AttemptResult]:
        """The server takes messages from us: whom it refused before, it refused for good."""
        self._accepted = True
        self._most = _IN_A_ROW
        if not self._kept:
            return []
        kept, self._kept = self._kept, []
        return [own for own, _ in kept]

    def ended(self) -> list[AttemptResult]:
        """The run is over: what is written down of the refusals since the last acceptance."""
        at_fault = self.of_everybody
        kept, self._kept = self._kept, []
        return [otherwise if at_fault else own for own, otherwise in kept]
