"""The bytes of a file of readers -> its text, in whichever encoding it is."""

import re
from typing import Final

from digest.errors import AudienceError

_FOREIGN2: Final = (
    (b"PK\x03\x04", "a spreadsheet or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "a SQLite database"),
)
_MARKS2: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

_WIDE2: Final = re.compile(r"[^\x00-\x7f\ufffd]")


def _is_broken2(data: bytes) -> bool:
    """Whether more characters beyond ASCII are good UTF-8 than are not."""
    text = data.decode("utf-8", errors="replace")
    return len(_WIDE2.findall(text)) > text.count("\ufffd")


def decoded_list(data: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """The text, and remarks on how it was read; the encoding is found out unless it is given.

    Raises AudienceError for what is no text, or not in that encoding.
    """
    for start, what in _FOREIGN2:
        if data.startswith(start):
            raise AudienceError(
                f"the file is {what}, expected CSV, JSON or JSON Lines",
                hint="Save the list as CSV (in UTF-8) first.",
            )
    named = encoding or next((name for mark, name in _MARKS2 if data.startswith(mark)), None)
    if named is None and b"\0" in data[:1000]:
        # UTF-16 without a mark: every other byte of Western text is zero.
        named = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    try:
        return data.decode(named or "utf-8"), ()
    except LookupError:
        raise AudienceError(
            f"there is no encoding {encoding!r}, expected utf-8, cp1252 …"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if named is not None or _is_broken2(data):
            raise AudienceError(
                f"line {line} is not {named or 'utf-8'}",
                hint="Correct that line, or name the encoding: --encoding cp1252",
            ) from None
        remark = (
            f"line {line} is not UTF-8, so the file was read as Windows-1252;"
            " if names look wrong, name the encoding: --encoding"
        )
        # Five bytes mean nothing in Windows-1252; an address with one of them is rejected later.
        return data.decode("cp1252", errors="replace"), (remark,)
