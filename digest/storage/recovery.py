"""Recovery: what a process that is no more had claimed is settled by the journal's evidence."""

from datetime import datetime

from digest.model.delivery import DeliveryState
from digest.storage.database import Database
from digest.storage.outcomes import Settled, record, release
from digest.storage.send_journal import Evidence

_SENDING = "select id from deliveries where state = 'sending'"

_INTERRUPTED = "the program stopped between handing over the message and hearing the answer"
_POWER_CUT = "the machine stopped while the message may have been on its way"


def recover(db: Database, evidence: Evidence, now: datetime) -> None:
    """Settle what a process that is no more has left claimed, in any edition.

    The caller holds the sender's lock: nobody else can be sending. Afterwards nothing is claimed,
    and the journal that gave this evidence may be started over.
    """
    with db.transaction():
        claimed = [row["id"] for row in db.rows(_SENDING)]
        known = {id_: _known(id_, evidence, now) for id_ in claimed}
        record(db, (settled for settled in known.values() if settled))
        release(db, ((id_, "") for id_, settled in known.items() if settled is None))


def _known(delivery_id: int, evidence: Evidence, now: datetime) -> Settled | None:
    """What became of a delivery that was claimed; None if it was surely not sent."""
    if delivery_id in evidence.ended:
        state, reply = evidence.ended[delivery_id]
        again = now if state is DeliveryState.DEFERRED else None
    elif delivery_id in evidence.begun:
        state, reply, again = DeliveryState.UNKNOWN, _INTERRUPTED, None
    elif not evidence.whole:
        state, reply, again = DeliveryState.UNKNOWN, _POWER_CUT, None
    else:
        return None
    return Settled(delivery_id=delivery_id, state=state, reply=reply, at=now, next_attempt_at=again)
