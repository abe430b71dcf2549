"""How a scripted server behaves towards everybody, whatever its script says."""

import ssl
from dataclasses import dataclass

from tests.faults.script import Script

OFFERED = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 10485760")
PLAIN = ("8BITMIME", "SIZE 10485760")


@dataclass(kw_only=True)
class Manners:
    """How a server behaves. They may change while it is open.

    `accepts_nobody_late` answers DATA with 354 although no recipient was accepted, as RFC 2920
    allows, and refuses at the final dot. `per_connection` says 421 instead of taking one more
    message. `pieces` splits every reply that a script does not split itself; `merge` holds the
    replies to RSET, MAIL and RCPT back until DATA is there, as RFC 2920 allows, so that a client
    which does not pipeline is never answered.
    """

    script: Script
    extensions: tuple[str, ...]
    starttls: ssl.SSLContext | None
    per_connection: int | None
    accepts_nobody_late: bool
    pieces: int | None
    merge: bool
