"""DKIM signatures (RFC 6376) for relays that do not sign: relaxed/relaxed, the whole body.

The relaxed canonicalisation (section 3.4) works line by line. So of a message in pieces of whole
lines, what is the same for every reader is canonicalised once, and hashed up to the first
difference; the signature's own field is written but for the hash and the signature in it. For each
reader there remain some lines, the hashing and the signing, which takes nearly all of the time.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from digest.composer.dkim_keys import SigningKey, signing_keys
from digest.composer.headers import LINE
from digest.config import DkimSettings
from digest.config.validators import aligned
from digest.errors import ConfigError
from digest.lib.email_address import domain_of
from digest.model.message import WireSafeChunks

if TYPE_CHECKING:
    from hashlib import _Hash

CRLF: Final = b"\r\n"

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
        own = domain_of(sender)
        domain = settings.domain or own
        if not aligned(domain, own):
            raise ConfigError(
                f"dkim.domain is {domain}, and {sender} is not of that domain: receivers would"
                " not count the signature (DMARC)",
                hint=f"Use {own}, or leave dkim.domain out.",
            )
        return cls(domain=domain, keys=signing_keys(settings))

    def prepare(self, example: Sequence[bytes], fixed: Iterable[bytes]) -> "PreparedSignature":
        """What is the same for every reader of a prepared message.

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


_WIDE = re.compile(rb"[ \t]{2,}|\t")


def fields_of(header: bytes) -> list[bytes]:
    """The fields of a header block, each unfolded to one line, without its end."""
    unfolded = header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")
    return [field for field in unfolded.split(CRLF) if field]


def relaxed_field(field: bytes) -> bytes:
    """An unfolded header field: its name in lower case, and with its line end."""
    name, _, value = field.partition(b":")
    value = _WIDE.sub(b" ", value).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + CRLF


def relaxed_body(body: bytes) -> bytes:
    """A body. One of nothing but empty lines is empty (RFC 6376 section 3.4.4)."""
    return _without_empty_end(_relaxed_lines(body if body.endswith(CRLF) else body + CRLF))


@dataclass(frozen=True, slots=True, kw_only=True)
class CutBody:
    """How to digest a body that comes in pieces, the first of which is the same for all.

    `opening` is the hash of that one; `held` are empty lines at its end, which count only if
    something follows. `known` maps pieces that occur again and again to their canonical form.
    A body that is not cut between lines is digested as a whole.
    """

    opening: "_Hash"
    held: bytes
    known: Mapping[bytes, bytes]

    @classmethod
    def of(cls, first: bytes, fixed: Iterable[bytes]) -> "CutBody":
        """Prepared for bodies that begin with `first`, and have any of the `fixed` after it."""
        lines = _relaxed_lines(first)
        core = _without_empty_end(lines)
        return cls(
            opening=hashlib.sha256(core),
            held=lines[len(core) :],
            known={piece: _relaxed_lines(piece) for piece in fixed if _is_whole_lines(piece)},
        )

    def digest(self, pieces: Sequence[bytes]) -> bytes:
        """SHA-256 of the canonical body."""
        first, *others = pieces
        if not _is_whole_lines(first):
            return _plain_digest(pieces)
        canonical = [self.held]
        for piece in others:
            lines = self.known.get(piece)
            if lines is None:
                if not _is_whole_lines(piece):
                    return _plain_digest(pieces)
                lines = _relaxed_lines(piece)
            canonical.append(lines)
        hashing = self.opening.copy()
        hashing.update(_without_empty_end(b"".join(canonical)))
        return hashing.digest()


def _plain_digest(pieces: Iterable[bytes]) -> bytes:
    return hashlib.sha256(relaxed_body(b"".join(pieces))).digest()


def _is_whole_lines(piece: bytes) -> bool:
    return not piece or piece.endswith(CRLF)


def _relaxed_lines(lines: bytes) -> bytes:
    """Whole lines, each with its end: white space narrowed, and gone before a line's end."""
    return _WIDE.sub(b" ", lines).replace(b" \r\n", CRLF)


def _without_empty_end(lines: bytes) -> bytes:
    end = len(lines)
    while lines.endswith(b"\r\n\r\n", 0, end):
        end -= len(CRLF)
    return b"" if lines[:end] == CRLF else lines[:end]


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
    """The signatures of one prepared message. Any number of threads may sign at once."""

    fields: Mapping[bytes, bytes]
    body: CutBody
    lines: tuple[_Lines, ...]

    def signed(self, pieces: Sequence[bytes]) -> WireSafeChunks:
        """The pieces of one reader's message, the header with DKIM-Signature fields before it."""
        header, *body = pieces
        known = self.fields.get
        fields = [known(field) or relaxed_field(field) for field in fields_of(header)]
        hashing = hashlib.sha256(b"".join(fields))
        digest = b64encode(self.body.digest(body))
        signatures = [lines.signed(hashing.copy(), digest) for lines in self.lines]
        return WireSafeChunks((b"".join((*signatures, header)), *body))


def _folded(text: str, *, after: str = "") -> str:
    """The text on lines of at most 78; where it may be broken only `after` a character, there."""
    lines = []
    while len(text) > LINE:
        end = text.rindex(after, 0, LINE) + 1 if after else LINE
        lines.append(text[:end])
        text = " " + text[end:]
    return "\r\n".join([*lines, text])
