"""The opening of a transaction: MAIL, RCPT and DATA, with what this server understands."""

from functools import lru_cache
from typing import Final

from digest.errors import RelayUnavailable
from digest.lib.email_address import AddressImpossible, wire_address
from digest.model.delivery import Rejected
from digest.sender.extensions import Extensions
from digest.sender.message_data import Letter

#: So many commands make an opening.
COMMANDS: Final = 3


def opening_of(letter: Letter, extensions: Extensions, *, relay: str) -> bytes | Rejected:
    """The three commands of a letter, a line each, or why this reader cannot be mailed from here.

    Raises RelayUnavailable where the sender's address or the message is more than the server takes:
    that is nothing that a reader has done.
    """
    sender = _sender(letter.envelope.mail_from, extensions, relay=relay)
    try:
        reader = wire_address(letter.envelope.rcpt_to)
    except AddressImpossible as impossible:
        return Rejected(reason=f"the address {impossible}")
    international = not (sender.isascii() and reader.isascii())
    if international and not extensions.smtputf8:
        return Rejected(reason=f"the address needs SMTPUTF8, and {relay} does not offer it")
    _check_message(letter, extensions, relay=relay)
    parameters = f" SIZE={letter.size}" if extensions.size else ""
    if extensions.eight_bit and (international or not letter.ascii_only):
        parameters += " BODY=8BITMIME"
    if international:
        parameters += " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{parameters}\r\nRCPT TO:<{reader}>\r\nDATA\r\n".encode()


#: Without bounce addresses of their own, all messages of an edition have one sender.
_known_address = lru_cache(maxsize=64)(wire_address)


def _sender(mail_from: str, extensions: Extensions, *, relay: str) -> str:
    if not mail_from:
        return ""
    try:
        sender = _known_address(mail_from)
    except AddressImpossible as impossible:
        raise RelayUnavailable(
            f"the sender's address {mail_from!r} {impossible}",
            hint="Give the newsletter a sender address such as news@example.org.",
        ) from impossible
    if not (extensions.smtputf8 or sender.isascii()):
        raise RelayUnavailable(
            f"the sender's address {mail_from} needs SMTPUTF8, and {relay} does not offer it",
            hint="Give the newsletter a sender address in ASCII.",
        )
    return sender


def _check_message(letter: Letter, extensions: Extensions, *, relay: str) -> None:
    if extensions.largest is not None and letter.size > extensions.largest:
        raise RelayUnavailable(
            f"{relay} takes messages of at most {extensions.largest:,} octets; "
            f"this one has {letter.size:,}",
            hint="Lower max_items, or ask whoever runs the server for a higher limit.",
        )
    if not letter.ascii_only and not extensions.eight_bit:
        raise RelayUnavailable(
            f"the message holds octets above 127, and {relay} does not offer 8BITMIME",
            hint="Send by way of a server that does; nearly all do.",
        )
