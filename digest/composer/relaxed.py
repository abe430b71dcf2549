"""The relaxed canonicalisation of DKIM (RFC 6376 section 3.4): of whole texts, and of cut ones.

It works line by line. So of a text that is cut into whole lines, what is the same for every reader
is canonicalised once, and what stands before the first difference is hashed once, too.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

CRLF: Final = b"\r\n"

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
