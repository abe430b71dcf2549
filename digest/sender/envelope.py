"""The envelope: who hands a message over, and for whom (RFC 5321 section 2.3.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message, one reader.

    Both are plain addresses (`name@example.org`), as people write them: a transport encodes what
    its server cannot take as it is. `mail_from` may be empty, which is the null sender of
    RFC 5321 section 4.5.5: nothing ever comes back to it.
    """

    mail_from: str
    rcpt_to: str
