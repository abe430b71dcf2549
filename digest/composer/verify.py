"""The proof of a form: a filled message, parsed by the standard library, says what was meant.

A header that somebody smuggled in, a part that was lost, or a subject that reads differently is
found here, before any reader has the message.
"""

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

from digest.composer.headers import header_text
from digest.errors import SenderError
from digest.lib.email_address import mailable
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient

#: Octets of any line, without its CRLF (RFC 5322 section 2.1.1).
_LINE = 998


def prove(
    message: bytes,
    *,
    recipient: Recipient,
    subject: str,
    newsletter: Newsletter,
    fields: Sequence[str],
) -> None:
    """Raise SenderError unless the message has exactly these fields, saying what was meant."""
    parsed = message_from_bytes(message, _class=EmailMessage, policy=policy.default)
    sender = (header_text(newsletter.sender_name), mailable(newsletter.sender_address))
    reader = (header_text(recipient.name), mailable(recipient.email))
    _equal("the header", parsed.keys(), list(fields))
    _equal("Subject", str(parsed["Subject"]), header_text(subject))
    raw = dict(parsed.raw_items())
    _equal("From", _mailbox(raw["From"]), sender)
    _equal("To", _mailbox(raw["To"]), reader)
    for name, value in parsed.items():
        if not str(value).isprintable():
            raise SenderError(f"the message cannot go out: {name} holds a control character")
    parts = [part.get_content_type() for part in parsed.walk() if not part.is_multipart()]
    _equal("the text parts", parts[:2], ["text/plain", "text/html"])
    _equal("defects", [d for part in parsed.walk() for d in part.defects], [])
    for line in message.split(b"\r\n"):
        if len(line) > _LINE or b"\r" in line or b"\n" in line:
            raise SenderError(f"the message cannot go out: a line of {len(line)} octets")


def _mailbox(field: str) -> tuple[str, str]:
    # Not the new parser: of Python 3.11, it keeps the folds between the words of a name.
    name, address = parseaddr("".join(field.splitlines()))
    return str(make_header(decode_header(name))), address


def _equal(what: str, found: object, meant: object) -> None:
    if found != meant:
        raise SenderError(f"the message cannot go out: {what} is {found!r}, meant was {meant!r}")
