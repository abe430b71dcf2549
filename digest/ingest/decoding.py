"""Bytes of a file as text. What is guessed is told, for a wrong guess turns names into rubbish."""

import codecs
import re
from typing import Final

from digest.errors import SourceError
from digest.ingest.rows import Note

# The longer marks first: UTF-32's begins as UTF-16's does.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive, as spreadsheets (.xlsx, .ods) are"),
    (b"\xd0\xcf\x11\xe0", "an old office document (.xls, .doc)"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"SQLite format 3\0", "a SQLite database"),
)
_WIDE: Final = re.compile(r"[^\x00-\x7f\ufffd]")


def decoded(content: bytes, encoding: str | None, where: str) -> tuple[str, tuple[Note, ...]]:
    """The text of a file: in `encoding`, else as its byte order mark says, else UTF-8.

    What is none of these is read as Windows-1252, with a note, unless it is UTF-8 with a few broken
    bytes. Raises SourceError, with the offset of the first byte that does not fit.
    """
    for magic, kind in _FOREIGN:
        if content.startswith(magic):
            raise SourceError(
                f"{where} is {kind}", hint="Export it as CSV or JSON, or name its kind."
            )
    mark = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    name = mark if mark and _same_family(mark, encoding) else encoding or "utf-8"
    try:
        return content.decode(name), ()
    except LookupError:
        raise SourceError(
            f"{where}: there is no encoding {name!r}",
            hint='Usual ones are "utf-8", "windows-1252", "iso-8859-1", "utf-16".',
        ) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if name == "utf-8" and encoding is None and not _is_broken_utf_8(content):
            note = Note(
                place=f"line {line:,}",
                text="it is not UTF-8, so the file was read as Windows-1252; if names look wrong,"
                " name the encoding: --encoding, or `encoding` at the source in digest.toml",
            )
            # Five bytes mean nothing in Windows-1252.
            return content.decode("cp1252", errors="replace"), (note,)
        found = f"0x{content[error.start]:02x} at byte {error.start:,} (line {line:,})"
        raise SourceError(
            f"{where} is not {name}: found {found}",
            hint='Say what it is: encoding = "windows-1252" at the source in digest.toml, or'
            " --encoding windows-1252.",
        ) from None


def _is_broken_utf_8(content: bytes) -> bool:
    """Whether more characters beyond ASCII are good UTF-8 than are not."""
    text = content.decode("utf-8", errors="replace")
    return len(_WIDE.findall(text)) > text.count("\ufffd")


def _same_family(mark: str, encoding: str | None) -> bool:
    """Whether a mark says more precisely what was configured, or nothing was."""
    if encoding is None:
        return True
    return encoding.lower().replace("_", "-").replace("-", "").startswith(mark[:6].replace("-", ""))
