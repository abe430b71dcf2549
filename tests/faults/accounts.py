"""The one equation that every fault ends with: the ledger and the server have the same books."""

from collections import Counter

from digest.publishing.audit import audit
from tests.faults.gazette import CONNECTIONS, Gazette
from tests.faults.scripted_server import ScriptedServer


def assert_accounts_balance(gazette: Gazette, server: ScriptedServer, *, deaths: int = 0) -> None:
    """Accepted by the server = recipients - rejected - Unknown (- withheld), and none twice.

    Nothing is left to do. Unknown are those whose message the server had and never answered, and
    for each death of a sending process at most as many more as it had connections.
    """
    readers = Counter(gazette.states().values())
    by_state: dict[str, set[str]] = {state: set() for state in readers}
    for email, state in gazette.states().items():
        by_state[state].add(email)
    sent, rejected, unknown, withheld = (
        by_state.pop(state, set()) for state in ("sent", "rejected", "unknown", "withheld")
    )
    recipients = readers.total()
    assert not by_state, f"not finished: {readers}"

    accepted = Counter(server.readers)
    twice = [email for email, times in accepted.items() if times > 1]
    assert twice == []
    assert len(accepted.keys() - unknown) == recipients - len(rejected | unknown | withheld)
    assert accepted.keys() - unknown == sent
    assert set(server.refused) == rejected
    unanswered = set(server.unreceipted)
    assert unanswered <= unknown
    assert len(unknown - unanswered - set(server.broken_off)) <= deaths * CONNECTIONS
    strangers = [m.reader for m in server.accepted if f"To: {m.reader}\r\n".encode() not in m.content]
    assert strangers == []

    assert not gazette.database.with_name("subscribers.db.sending.new").exists()
    proof = audit(gazette.settings)
    assert proof.breaches == ()
    assert (proof.extent.editions, proof.extent.claimed) == (1, 0)
