"""The check right before the final dot: after it nothing can be called back.

RFC 5321 section 4.1.1.4: with the end of the data, the server may take responsibility.
"""

import asyncio
from dataclasses import dataclass
from typing import assert_never

from digest.errors import DigestError
from digest.model.delivery import Delivery
from digest.publishing.delivery.cancellation import CancelReason, CancelToken, MessageTask
from digest.storage.locks import LockFile
from digest.storage.revocations import EditionStopped, Revocations, Revoked
from digest.storage.send_journal import Journal


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was ended before the message could leave: its reader keeps the place in the queue."""


class NotCommitted(DigestError):
    """The message may not leave, for this reason. Transports pass on what their check raises."""

    def __init__(self, result: Revoked | Stopped) -> None:
        super().__init__("the message may not leave")
        self.result = result


@dataclass(slots=True, kw_only=True)
class PrecommitCheck:
    """Looks at the lock and at revocations, and puts on record that a message is about to leave.

    Messages that leave in one turn of the event loop, a few microseconds apart, share a look at the
    lock and at the database: it costs as much as writing a message. Every transport lets the loop
    turn between two messages.
    """

    lock: LockFile
    revocations: Revocations
    journal: Journal
    cancel: CancelToken
    _is_fresh: bool = False

    def commit(self, delivery: Delivery, task: MessageTask) -> None:
        """Raise what keeps the message from leaving, or record that it is about to."""
        if not self._is_fresh:
            self._refresh()
        match revocation := self.revocations.of(delivery.id):
            case None:
                self.journal.begun(delivery.id)
                self.cancel.commit(task)
            case Revoked():
                raise NotCommitted(revocation)
            case EditionStopped():
                self.cancel.cancel(CancelReason.STOPPED_BY_EDITOR)
                raise NotCommitted(Stopped())
            case _:
                assert_never(revocation)

    def _refresh(self) -> None:
        self.lock.check()
        self.revocations.refresh()
        self._is_fresh = True
        asyncio.get_running_loop().call_soon(self._expire)

    def _expire(self) -> None:
        self._is_fresh = False
