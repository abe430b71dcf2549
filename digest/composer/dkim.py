"""DKIM signatures (RFC 6376) for relays that do not sign: relaxed/relaxed, the whole body.

A form is prepared once: what is the same for everybody is canonicalised, and hashed up to the first
difference; the signature's own field is written but for the hash and the signature in it. For each
reader there remain some lines, the hashing and the signing, which takes nearly all of the time.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.composer.dkim_keys import SigningKey, signing_keys
from digest.composer.headers import LINE
from digest.composer.relaxed import CRLF, CutBody, fields_of, relaxed_field
from digest.config import DkimSettings
from digest.config.validators import aligned
from digest.errors import ConfigError
from digest.lib.email_address import header_domain
from digest.model.message import SoundPieces

if TYPE_CHECKING:
    from hashlib import _Hash

#: Listed once more than they occur, so that nobody on the way can add one (section 8.15).
OVERSIGNED: Final = ("From", "To", "Subject", "Date")


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimSigner:
    """Signs for a domain, once with each key."""

    domain: str
    keys: tuple[SigningKey, ...]

    @classmethod
    def from_settings(cls, settings: DkimSettings, *, sender: str) -> "DkimSigner":
        """The signer of what comes from this address. Reads the keys, which takes some 0.1 s.

        Raises ConfigError for a key that cannot serve, and for a domain that is not the sender's
        (DMARC would not count the signature).
        """
        own = header_domain(sender)
        domain = settings.domain or own
        if not aligned(domain, own):
            raise ConfigError(
                f"dkim.domain is {domain}, and {sender} is not of that domain: receivers would"
                " not count the signature (DMARC)",
                hint=f"Use {own}, or leave dkim.domain out.",
            )
        return cls(domain=domain, keys=signing_keys(settings))

    def prepare(self, example: Sequence[bytes], fixed: Iterable[bytes]) -> "PreparedSignature":
        """What is the same for every reader of a form.

        `example` is one message, in pieces: its header, then its body, which begins with the same
        piece for everybody. `fixed` are the pieces that others have, too. All fields are signed.
        """
        header, first, *_ = example
        fields = fields_of(header)
        names = [field.partition(b":")[0].decode("ascii") for field in fields]
        return PreparedSignature(
            fields={field: relaxed_field(field) for field in fields},
            body=CutBody.of(first, fixed),
            lines=tuple(_Lines.of(key, self.domain, [*names, *OVERSIGNED]) for key in self.keys),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """One signature's field around its two hashes, as written and as canonical."""

    key: SigningKey
    opening: bytes
    canonical: bytes

    @classmethod
    def of(cls, key: SigningKey, domain: str, names: Sequence[str]) -> "_Lines":
        tags = f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;"
        listed = _folded(" h=" + ":".join(names) + ";", after=":")
        opening = f"{tags}\r\n d={domain};\r\n s={key.selector};\r\n{listed}\r\n bh=".encode()
        return cls(
            key=key,
            opening=opening,
            canonical=relaxed_field(*fields_of(opening)).removesuffix(CRLF),
        )

    def signed(self, header: "_Hash", body: bytes) -> bytes:
        """The whole field, where the hash of the header is still without it."""
        # The field is signed as if its b= were empty, and without the line end (section 3.7).
        header.update(b"%b%b; b=" % (self.canonical, body))
        signature = b64encode(self.key.sign(header.digest())).decode("ascii")
        return b"%b%b;\r\n%b\r\n" % (self.opening, body, _folded(f" b={signature}").encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSignature:
    """The signatures of one form. Any number of threads may use it: signing lets others run."""

    fields: Mapping[bytes, bytes]
    body: CutBody
    lines: tuple[_Lines, ...]

    def signed(self, pieces: Sequence[bytes]) -> SoundPieces:
        """The pieces of one reader's message, the header with DKIM-Signature fields before it."""
        header, *body = pieces
        known = self.fields.get
        fields = [known(field) or relaxed_field(field) for field in fields_of(header)]
        hashing = hashlib.sha256(b"".join(fields))
        digest = b64encode(self.body.digest(body))
        signatures = [lines.signed(hashing.copy(), digest) for lines in self.lines]
        return SoundPieces((b"".join((*signatures, header)), *body))


def _folded(text: str, *, after: str = "") -> str:
    """The text on lines of at most 78; where it may be broken only `after` a character, there."""
    lines = []
    while len(text) > LINE:
        end = text.rindex(after, 0, LINE) + 1 if after else LINE
        lines.append(text[:end])
        text = " " + text[end:]
    return "\r\n".join([*lines, text])
