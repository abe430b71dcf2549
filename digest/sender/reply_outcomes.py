"""What a reply means: for the reader, for the message, or for the whole server (RFC 5321 4.2)."""

import re
from collections.abc import Sequence
from typing import Final

from digest.errors import RelayUnavailable
from digest.model.delivery import Accepted, Deferred, Outcome, Rejected, Reply, Unknown

#: RFC 4954 section 6: the server requires a login, a better one, or encryption. Never the reader.
_LOGIN: Final = frozenset({530, 534, 535, 538})

#: RFC 5321 section 4.5.3.1.10: at RCPT, 552 is to be read as 452, "too many for now".
_TOO_MANY: Final = 552

#: RFC 3463: the message is too big for the system. For one reader's mailbox it would be 5.2.3.
_TOO_BIG: Final = "5.3.4"

#: What servers call it when they do not carry mail for us at all. Only the words tell.
_NO_RELAYING: Final = re.compile(
    r"\brelay(?:ing)?\b.*\b(?:denied|prohibited|not (?:permitted|allowed))"
    r"|\b(?:unable|not (?:permitted|allowed)|refus\w+|do(?:es)? not) (?:to )?relay\b",
    re.IGNORECASE,
)

_LOG_IN: Final = "Set smtp.username and smtp.password, or use a server that relays for you."


def is_go_ahead(opening: Sequence[Reply]) -> bool:
    """Whether the message may follow: three consents, the last of them a 354."""
    if len(opening) < 3:
        return False
    mail, rcpt, data = opening
    return mail.code // 100 == rcpt.code // 100 == 2 and data.code == 354


def is_positive(reply: Reply) -> bool:
    """2yz: done."""
    return reply.code // 100 == 2


def wants_message(reply: Reply) -> bool:
    """354: the message may follow."""
    return reply.code == 354


def opening_outcome(opening: Sequence[Reply], *, relay: str) -> Outcome:
    """The outcome of the replies to MAIL, RCPT and DATA, one of which is a refusal.

    The first one decides: a later 503 or 554 ("no valid recipients") only echoes it. What was not
    asked any more, because it made no sense, is missing. Raises RelayUnavailable where the server
    refuses the sender, requires a login, or does not relay: no reader is to blame.
    """
    refusals = ((place, reply) for place, reply in enumerate(opening) if not is_positive(reply))
    place, refusal = next(refusals, (len(opening) - 1, opening[-1]))
    if refusal.code in _LOGIN:
        raise RelayUnavailable(f"{relay} requires a login: {refusal}", hint=_LOG_IN)
    if place == 0:
        return _of_mail(refusal, relay=relay)
    if place == 1:
        return _of_rcpt(refusal, relay=relay)
    if refusal.code >= 400:
        return _refused("DATA", refusal)
    return Deferred(reason=f"{relay} gave DATA an unexpected answer", reply=refusal)


def message_outcome(reply: Reply) -> Outcome:
    """The outcome that the reply to the final dot states.

    Raises RelayUnavailable where the server does not take messages of this size from anybody.
    """
    if is_positive(reply):
        return Accepted(reply=reply)
    _blame_the_message_for_its_size(reply)
    if reply.code >= 400:
        return _refused("the message", reply)
    return Unknown(
        reason=f"the server answered the message with {reply}, which neither accepts nor refuses it"
    )


def _of_mail(reply: Reply, *, relay: str) -> Outcome:
    _blame_the_message_for_its_size(reply)
    if reply.code >= 500:
        raise RelayUnavailable(
            f"{relay} refuses the sender's address: {reply}",
            hint="Check the newsletter's sender address, and which addresses this login may use.",
        )
    return _refused("the sender", reply)


def _of_rcpt(reply: Reply, *, relay: str) -> Outcome:
    if reply.code == _TOO_MANY:
        return Deferred(reason="the server cannot accept this reader now", reply=reply)
    if reply.code >= 500 and _NO_RELAYING.search(reply.text):
        raise RelayUnavailable(f"{relay} does not relay for us: {reply}", hint=_LOG_IN)
    return _refused("the reader's address", reply)


def _blame_the_message_for_its_size(reply: Reply) -> None:
    if reply.enhanced == _TOO_BIG:
        raise RelayUnavailable(
            f"the server takes no message of this size: {reply}",
            hint="Lower max_items, or ask whoever runs the server for a higher limit.",
        )


def _refused(subject: str, reply: Reply) -> Outcome:
    if reply.code >= 500:
        return Rejected(reason=f"the server refused {subject}", reply=reply)
    return Deferred(reason=f"the server deferred {subject}", reply=reply)
