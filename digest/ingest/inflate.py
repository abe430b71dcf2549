"""Compressed bodies, unpacked no further than a limit: a gzip bomb ends where the limit is."""

import zlib
from typing import Final

from digest.errors import SourceError

#: What we tell servers that we can read.
ACCEPTED: Final = "gzip, deflate"

_GZIP_OR_ZLIB: Final = 47
_RAW: Final = -15


class Inflater:
    """Unpacks one body piece by piece. `encoding` is the header Content-Encoding.

    Raises SourceError for an encoding that was not asked for, broken data, or too much of it.
    """

    def __init__(self, encoding: str, most: int) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        self._names = [name for name in names if name not in ("", "identity")]
        if len(self._names) > 1 or not set(self._names) <= {"gzip", "x-gzip", "deflate"}:
            raise SourceError(f"its server packs it as {encoding!r}, which was not asked for")
        self._packed = bool(self._names)
        self._machine = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._begun = False

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        if not self._packed:
            self._keep(piece)
            return
        try:
            self._unpack(piece)
        except zlib.error as error:
            raise SourceError(f"its compressed body is damaged ({error})") from None

    def finish(self) -> bytes:
        """The whole body. Raises SourceError if it ended too early."""
        if self._packed and self._begun and not self._machine.eof:
            raise SourceError("its compressed body ends in the middle")
        return b"".join(self._parts)

    def _unpack(self, piece: bytes) -> None:
        while piece:
            if self._machine.eof:
                if not piece.startswith(b"\x1f\x8b"):
                    return  # padding after the end
                # A gzip file may have several members (RFC 1952 section 2.2).
                self._machine = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                self._keep(self._machine.decompress(piece, self._most - self._size + 1))
            except zlib.error:
                if self._begun or self._names != ["deflate"]:
                    raise
                # Some servers say deflate and mean it bare (RFC 9110 section 8.4.1.2).
                self._machine = zlib.decompressobj(_RAW)
                self._keep(self._machine.decompress(piece, self._most - self._size + 1))
            self._begun = True
            piece = self._machine.unconsumed_tail or self._machine.unused_data

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise SourceError(
                f"it is larger than {self._most:,} bytes",
                hint="If that is right, raise `max_bytes` at the source in digest.toml.",
            )
        if data:
            self._parts.append(data)
