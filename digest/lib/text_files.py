"""Text files from outside: which encoding their bytes are in, and CSV fields of any length.

What is guessed is told, for a wrong guess turns names into rubbish. What a file is called, and
what its owner can do about it, only the caller knows: results are values, not messages.
"""

import codecs
import csv
import re
from dataclasses import dataclass
from typing import Final

# The longer marks first: UTF-32's begins as UTF-16's does.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS: Final = (
    (b"PK\x03\x04", "a ZIP archive, as spreadsheets (.xlsx, .ods) are"),
    (b"\xd0\xcf\x11\xe0", "an old office document (.xls, .doc)"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3\0", "a SQLite database"),
)
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f\ufffd]")
_SAMPLE: Final = 1_000
# What fits a C long everywhere. Files are smaller: their own limits have been kept before.
_LONGEST_FIELD: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """The text of a file. `not_utf_8` is the first line that made us read it as Windows-1252."""

    text: str
    not_utf_8: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotText:
    """The file is something else: `kind`, such as `a PDF`."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEncoding:
    """There is no encoding of the name that was given."""

    encoding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongEncoding:
    """The file is not in `encoding`: the first octet that does not fit, and where it stands."""

    encoding: str
    octet: int
    offset: int
    line: int


def decode(
    content: bytes, encoding: str | None = None
) -> DecodedText | NotText | UnknownEncoding | WrongEncoding:
    """The text of a file: in `encoding`, else as its byte order mark says, else UTF-8.

    A mark that only says more precisely what was given counts: UTF-8 may begin with one. Without
    both, UTF-16 is known by its zeros, and what is not UTF-8 is read as Windows-1252, unless it is
    UTF-8 with a few broken bytes.
    """
    for magic, kind in _OTHER_KINDS:
        if content.startswith(magic):
            return NotText(kind=kind)
    mark = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if mark and (encoding is None or _same_family(mark, encoding)):
        name = mark
    else:
        name = encoding or _utf_16_without_mark(content[:_SAMPLE]) or "utf-8"
    try:
        return DecodedText(text=content.decode(name))
    except LookupError:
        return UnknownEncoding(encoding=name)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if name == "utf-8" and encoding is None and not _is_mostly_utf_8(content):
            # Five bytes mean nothing in Windows-1252.
            return DecodedText(text=content.decode("cp1252", errors="replace"), not_utf_8=line)
        return WrongEncoding(
            encoding=name, octet=content[error.start], offset=error.start, line=line
        )


def _same_family(mark: str, encoding: str) -> bool:
    return encoding.lower().replace("_", "").replace("-", "").startswith(mark[:6].replace("-", ""))


def _utf_16_without_mark(sample: bytes) -> str | None:
    """UTF-16 if enough of the sample is ASCII in it, every other octet of which is zero."""
    first, second = sample[::2].count(0), sample[1::2].count(0)
    if (first + second) * 10 < len(sample) or not sample:
        return None
    return "utf-16-le" if second > first else "utf-16-be"


def _is_mostly_utf_8(content: bytes) -> bool:
    """Whether more characters beyond ASCII are good UTF-8 than are not."""
    text = content.decode("utf-8", errors="replace")
    return len(_NOT_ASCII.findall(text)) > text.count("\ufffd")


def allow_long_fields() -> None:
    """Lift the csv module's limit of 131,072 characters for a field.

    It is one for the whole process, with threads that read at once: hence one value, for all.
    """
    csv.field_size_limit(_LONGEST_FIELD)
