"""The last look: what is asked and put on record right before the final dot."""

import asyncio

from digest.errors import DigestError
from digest.model.delivery import Delivery
from digest.storage.locks import SenderLock
from digest.storage.revocations import Revocations
from digest.storage.send_journal import Journal


class DeliveryRevoked(DigestError):
    """The message may not leave: its reader has gone, or (an empty reason) all must stop."""


class PrecommitCheck:
    """What happens right before the final dot: after it nothing can be called back.

    Messages that leave in one turn of the event loop, a few microseconds apart, share a look at the
    lock and at the database: it costs as much as writing a message. Every transport lets the loop
    turn between two messages.
    """

    def __init__(self, hold: SenderLock, objections: Revocations, journal: Journal) -> None:
        self._hold = hold
        self._objections = objections
        self.journal = journal
        self._looked = False

    def at(self, delivery: Delivery) -> None:
        """Raise what keeps the message from leaving, or put on record that it is about to."""
        if not self._looked:
            self._look()
        objection = self._objections.to(delivery.id)
        if objection is not None:
            raise DeliveryRevoked(objection)
        self.journal.begun(delivery.id)

    def _look(self) -> None:
        self._hold.check()
        self._objections.look()
        self._looked = True
        asyncio.get_running_loop().call_soon(self._look_again)

    def _look_again(self) -> None:
        self._looked = False
