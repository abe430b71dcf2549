"""The proof of a signature: the message, canonicalised as a whole, is what was signed.

Signing takes short cuts through a cut form. Here none is taken, so that a wrong one is found before
any reader has the message.
"""

import hashlib
from base64 import b64decode

from digest.composer.dkim import DkimSigner
from digest.composer.dkim_keys import SigningKey, tags_of
from digest.composer.relaxed import CRLF, fields_of, relaxed_body, relaxed_field
from digest.errors import SenderError


def prove_signed(message: bytes, signer: DkimSigner) -> None:
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
            raise SenderError(f"the message cannot go out: it has no signature by {key.name}")
        if b64decode(tags["bh"]) != body_digest:
            raise SenderError("the message cannot go out: its signature is of another body")
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
            f"the message cannot go out: its signature by {key.name} is not good"
        ) from None
