"""The last look: what is asked and put on record right before the final dot."""

from digest.errors import DigestError
from digest.model.delivery import Delivery
from digest.publishing.lock import Hold
from digest.storage.deliveries import Objections
from digest.storage.journal import Journal


class Objected(DigestError):
    """The message may not leave: its reader has gone, or (an empty reason) all must stop."""


class LastLook:
    """What happens right before the final dot: after it nothing can be called back."""

    def __init__(self, hold: Hold, objections: Objections, journal: Journal) -> None:
        self._hold = hold
        self._objections = objections
        self.journal = journal

    def at(self, delivery: Delivery) -> None:
        """Raise what keeps the message from leaving, or put on record that it is about to."""
        self._hold.check()
        objection = self._objections.to(delivery.id)
        if objection is not None:
            raise Objected(objection)
        self.journal.begun(delivery.id)
