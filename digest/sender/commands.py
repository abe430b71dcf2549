"""MAIL and RCPT for one letter, with the parameters that this server understands."""

from dataclasses import dataclass

from digest.errors import RelayUnavailable
from digest.model.outcome import Rejected
from digest.sender.addresses import AddressImpossible, WireAddress, wire_address
from digest.sender.extensions import Extensions
from digest.sender.wire import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """MAIL and RCPT for one letter, complete with CRLF."""

    mail: bytes
    rcpt: bytes


def commands_for(letter: Letter, extensions: Extensions, *, relay: str) -> Commands | Rejected:
    """The commands, or why this reader cannot be mailed by way of this server.

    Raises RelayUnavailable where the sender's address or the message is more than it takes: that
    is nothing that a reader has done.
    """
    sender = _sender(letter.envelope.mail_from, extensions, relay=relay)
    try:
        reader = wire_address(letter.envelope.rcpt_to)
    except AddressImpossible as impossible:
        return Rejected(reason=f"the address {impossible}")
    if reader.needs_smtputf8 and not extensions.smtputf8:
        return Rejected(reason=f"the address needs SMTPUTF8, and {relay} does not offer it")
    _check_message(letter, extensions, relay=relay)
    international = reader.needs_smtputf8 or (sender is not None and sender.needs_smtputf8)
    parameters = ""
    if extensions.size:
        parameters += f" SIZE={letter.size}"
    if extensions.eight_bit and (international or not letter.ascii_only):
        parameters += " BODY=8BITMIME"
    if international:
        parameters += " SMTPUTF8"
    mail_from = sender.text if sender is not None else ""
    return Commands(
        mail=f"MAIL FROM:<{mail_from}>{parameters}\r\n".encode(),
        rcpt=f"RCPT TO:<{reader.text}>\r\n".encode(),
    )


def _sender(mail_from: str, extensions: Extensions, *, relay: str) -> WireAddress | None:
    if not mail_from:
        return None
    try:
        sender = wire_address(mail_from)
    except AddressImpossible as impossible:
        raise RelayUnavailable(
            f"the sender's address {mail_from!r} {impossible}",
            hint="Give the newsletter a sender address such as news@example.org.",
        ) from impossible
    if sender.needs_smtputf8 and not extensions.smtputf8:
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
