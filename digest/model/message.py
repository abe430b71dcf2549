"""The bytes of a message, cut at the places where readers differ."""


class WireSafeChunks(tuple[bytes, ...]):
    """Pieces that can go to a mail server unchanged. Whoever makes them guarantees that.

    Each piece is whole lines: they end in CRLF, contain no other CR or LF, and none of them begins
    with a dot (RFC 5321 section 4.5.2). After the first piece, which has the header, everything is
    ASCII.
    """

    __slots__ = ()

    @property
    def hold(self) -> bool:
        """Whether the guarantee is kept. This reads everything: for tests, not for each message."""
        return all(map(_is_safe, self)) and all(map(bytes.isascii, self[1:]))


def _is_safe(piece: bytes) -> bool:
    *lines, unfinished = piece.split(b"\r\n")
    return not unfinished and not any(
        line.startswith(b".") or b"\r" in line or b"\n" in line for line in lines
    )
