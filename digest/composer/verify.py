"""Verification: a filled message, parsed by the standard library, says what was meant.

A header that somebody smuggled in, a part that was lost or a subject that reads differently is
found here, and so is a signature that is of other bytes, before any reader has the message. Signing
takes short cuts through what was prepared; here the whole message is canonicalised, without any.
"""

import hashlib
from base64 import b64decode
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

from digest.composer.dkim import CRLF, DkimSigner, fields_of, relaxed_body, relaxed_field
from digest.composer.dkim_keys import SigningKey, tags_of
from digest.composer.headers import header_text
from digest.errors import SenderError
from digest.lib.email_address import wire_address
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient

#: Octets of any line, without its CRLF (RFC 5322 section 2.1.1).
_LINE = 998


def verify_message(
    message: bytes,
    *,
    recipient: Recipient,
    subject: str,
    newsletter: Newsletter,
    fields: Sequence[str],
) -> None:
    """Raise SenderError unless the message has exactly these fields, saying what was meant."""
    parsed = message_from_bytes(message, _class=EmailMessage, policy=policy.default)
    sender = (header_text(newsletter.sender_name), wire_address(newsletter.sender_address))
    reader = (header_text(recipient.name), wire_address(recipient.email))
    _equal("the header", parsed.keys(), list(fields))
    _equal("Subject", str(parsed["Subject"]), header_text(subject))
    raw = dict(parsed.raw_items())
    _equal("From", _mailbox(raw["From"]), sender)
    _equal("To", _mailbox(raw["To"]), reader)
    for name, value in parsed.items():
        if not str(value).isprintable():
            raise SenderError(f"the message cannot be sent: {name} holds a control character")
    parts = [part.get_content_type() for part in parsed.walk() if not part.is_multipart()]
    _equal("the text parts", parts[:2], ["text/plain", "text/html"])
    _equal("defects", [d for part in parsed.walk() for d in part.defects], [])
    for line in message.split(b"\r\n"):
        if len(line) > _LINE or b"\r" in line or b"\n" in line:
            raise SenderError(f"the message cannot be sent: a line of {len(line)} octets")


def _mailbox(field: str) -> tuple[str, str]:
    # Not the new parser: of Python 3.11, it keeps the folds between the words of a name.
    name, address = parseaddr("".join(field.splitlines()))
    return str(make_header(decode_header(name))), address


def _equal(part: str, found: object, expected: object) -> None:
    if found != expected:
        raise SenderError(f"the message cannot be sent: {part} is {found!r}, expected {expected!r}")


def verify_signatures(message: bytes, signer: DkimSigner) -> None:
    """Raise SenderError unless the message begins with a good signature by each of the keys."""
    header, _, body = message.partition(CRLF + CRLF)
    fields = fields_of(header + CRLF)
    body_digest = hashlib.sha256(relaxed_body(body)).digest()
    for key, signature in zip(signer.keys, fields, strict=False):
        tags = tags_of(signature.partition(b":")[2].decode("ascii"))
        if (tags.get("a"), tags.get("d"), tags.get("s")) != (
            key.algorithm,
            signer.domain,
            key.selector,
        ):
            raise SenderError(f"the message cannot be sent: it has no signature by {key.name}")
        if b64decode(tags["bh"]) != body_digest:
            raise SenderError("the message cannot be sent: its signature does not match the body")
        _verify(key, signature, _signed_fields(tags["h"], fields), b64decode(tags["b"]))


def _signed_fields(names: str, fields: list[bytes]) -> bytes:
    """The fields that h= lists, those of one name from the last to the first (section 5.4.2)."""
    unused = [(field.partition(b":")[0].decode("ascii").lower(), field) for field in fields]
    signed = []
    for name in names.lower().split(":"):
        for index in reversed(range(len(unused))):
            if unused[index][0] == name:
                signed.append(relaxed_field(unused.pop(index)[1]))
                break
    return b"".join(signed)


def _verify(key: SigningKey, field: bytes, signed: bytes, signature: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    opening = relaxed_field(field[: field.rindex(b" b=") + len(b" b=")]).removesuffix(CRLF)
    try:
        key.verify(signature, hashlib.sha256(signed + opening).digest())
    except InvalidSignature:
        raise SenderError(
            f"the message cannot be sent: its signature by {key.name} does not verify"
        ) from None
