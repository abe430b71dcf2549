"""The one equation that every fault ends with: the ledger and the server have the same books."""

from collections import Counter

from digest.publishing.maintenance import audit
from tests.faults.gazette import CONNECTIONS, READERS, Gazette
from tests.faults.scripted_server import ScriptedServer


def assert_accounts_balance(gazette: Gazette, server: ScriptedServer, *, deaths: int = 0) -> None:
    """Accepted by the server = recipients - rejected - Unknown (- withheld), and none twice.

    Nothing is left to do. Unknown are those whose message the server had and never answered, and
    for each death of a sending process at most as many more as it had connections.
    """
    states = gazette.states()
    sent, rejected, unknown, withheld = (
        {email for email in states if states[email] == state}
        for state in ("sent", "rejected", "unknown", "withheld")
    )
    recipients = len(states)
    assert recipients == READERS
    assert len(sent | rejected | unknown | withheld) == recipients, "somebody still waits"

    accepted = Counter(server.readers)
    twice = [email for email, times in accepted.items() if times > 1]
    assert twice == []
    assert len(accepted.keys() - unknown) == recipients - len(rejected | unknown | withheld)
    assert accepted.keys() - unknown == sent
    assert set(server.refused) == rejected
    unanswered = set(server.unreceipted)
    assert unanswered <= unknown
    assert len(unknown - unanswered - set(server.broken_off)) <= deaths * CONNECTIONS
    strangers = [
        message.reader
        for message in server.accepted
        if f"To: {message.reader}\r\n".encode() not in message.content
    ]
    assert strangers == []

    assert gazette.editions() == ["incomplete" if unknown else "sent"]
    proof = audit(gazette.settings)
    assert proof.breaches == ()
    assert proof.extent.claimed == 0
