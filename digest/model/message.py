"""A message on its way: finished bytes, cut at the places where readers differ."""


class SoundPieces(tuple[bytes, ...]):
    """Pieces that can go to a mail server as they stand. Whoever makes them gives their word.

    Each piece is whole lines: they end in CRLF, hold no other CR or LF, and none of them begins
    with a dot. Beyond the first piece, which has the header, everything is ASCII.
    """

    __slots__ = ()
