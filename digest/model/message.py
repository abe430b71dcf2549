"""A message on its way: finished bytes, cut at the places where readers differ."""


class WireSafeChunks(tuple[bytes, ...]):
    """Pieces that can go to a mail server as they stand. Whoever makes them gives their word.

    Each piece is whole lines: they end in CRLF, hold no other CR or LF, and none of them begins
    with a dot. Beyond the first piece, which has the header, everything is ASCII.
    """

    __slots__ = ()

    @property
    def hold(self) -> bool:
        """Whether the word is kept. Reads everything: for a proof, not for every message."""
        return all(map(_in_sound_lines, self)) and all(map(bytes.isascii, self[1:]))


def _in_sound_lines(piece: bytes) -> bool:
    *lines, rest = piece.split(b"\r\n")
    return not rest and not any(
        line.startswith(b".") or b"\r" in line or b"\n" in line for line in lines
    )
