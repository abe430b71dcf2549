"""A file of readers -> its rows, whatever its format, encoding and delimiter.

CSV is read as spreadsheets and list services write it; in JSON and JSON Lines each object is a row
with column names of its own. The file is taken whole: the database must not stay locked while
somebody's pipe is slow, and an encoding can only be told for certain from all of it.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

from digest.errors import SubscriberError
from digest.lib.text_files import (
    DecodedText,
    NotText,
    UnknownEncoding,
    WrongEncoding,
    allow_long_fields,
    decode,
)
from digest.subscribers import columns, formula_guard
from digest.subscribers.columns import Columns, ColumnTitles

if TYPE_CHECKING:
    from _csv import Reader as CsvReader


_DELIMITERS: Final = ",;\t|"


class ListRow(NamedTuple):
    """The cells of one row, and which column each is in. `line` counts from 1."""

    line: int
    columns: Columns
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderList:
    """A file, understood as far as its format. Reading `rows` may still find it broken."""

    rows: Iterator[ListRow | BadRow]
    remarks: tuple[str, ...] = ()


def read(
    data: bytes,
    *,
    name: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    titles: Mapping[str, str] | None = None,
) -> ReaderList:
    """Understand a file; its encoding, format and delimiter are found out unless they are given.

    `name` is what messages call it. `titles` is what the file calls our columns, where that is
    something of its own: `{"name": "Vorname"}`.
    Raises SubscriberError, here or while `rows` are read, for a file that cannot be read as a list,
    and UsageError for a column in `titles` that we do not have.
    """
    column_titles = columns.column_titles(titles or {})
    with _named(name):
        text, remarks = _decoded(data, encoding)
        if not text.strip():
            raise SubscriberError(
                "the file is empty", hint="Expected a line of column names, `email` among them."
            )
    return ReaderList(
        rows=_rows(text, delimiter, column_titles, name),
        remarks=tuple(f"{name}: {remark}" if name else remark for remark in remarks),
    )


@contextmanager
def _named(name: str | None) -> Iterator[None]:
    """Errors with the name of the file in front."""
    try:
        yield
    except SubscriberError as error:
        if name is None:
            raise
        raise SubscriberError(f"{name}: {error.message}", hint=error.hint) from None


def _rows(
    text: str, delimiter: str | None, titles: ColumnTitles, name: str | None
) -> Iterator[ListRow | BadRow]:
    with _named(name):
        match text.lstrip()[:1]:
            case "[":
                yield from json_rows(text, titles)
            case "{":
                yield from jsonl_rows(text, titles)
            case _:
                yield from csv_rows(text, delimiter, titles)


def _decoded(data: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """The text, and a remark where its encoding had to be guessed."""
    match decode(data, encoding):
        case DecodedText(text=text, not_utf_8=None):
            return text, ()
        case DecodedText(text=text, not_utf_8=line):
            remark = (
                f"line {line} is not UTF-8, so the file was read as Windows-1252;"
                " if names look wrong, name the encoding: --encoding"
            )
            return text, (remark,)
        case NotText(kind=kind):
            raise SubscriberError(
                f"the file is {kind}, expected CSV, JSON or JSON Lines",
                hint="Save the list as CSV (in UTF-8) first.",
            )
        case UnknownEncoding(encoding=unknown):
            raise SubscriberError(f"there is no encoding {unknown!r}, expected utf-8, cp1252 …")
        case WrongEncoding() as wrong:
            raise SubscriberError(
                f"line {wrong.line} is not {wrong.encoding}",
                hint="Correct that line, or name the encoding: --encoding cp1252",
            )
        case unreachable:
            assert_never(unreachable)


def csv_rows(text: str, delimiter: str | None, titles: ColumnTitles) -> Iterator[ListRow | BadRow]:
    """The rows below the header; the delimiter is found out unless it is given.

    Raises SubscriberError where there is no header, or a quotation mark is never closed.
    """
    declared, text, skipped = _declared_delimiter(text)
    delimiter = delimiter or declared
    if delimiter is not None and len(delimiter) != 1:
        raise SubscriberError(f"the delimiter {delimiter!r}, expected one character such as ; or ,")
    allow_long_fields()
    reader, header = _reader_after_header(text, delimiter, titles)
    line = reader.line_num + skipped
    while True:
        start = line + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = reader.line_num + skipped
            if "unexpected end" in str(error):
                raise SubscriberError(
                    f"line {start}: a quotation mark is opened and never closed",
                    hint="Nothing was imported. Close it, or double a mark that belongs to a text.",
                ) from None
            yield BadRow(start, f"the quotation marks do not pair up ({error})")
            continue
        line = reader.line_num + skipped
        if not any(cells):
            continue
        if fault := header.fault_of(cells):
            yield BadRow(start, fault)
        else:
            yield ListRow(start, header, formula_guard.unguard_all(cells))


def _declared_delimiter(text: str) -> tuple[str | None, str, int]:
    """The delimiter of a first line `sep=;`, Excel's own; the text after it, and lines taken."""
    first, _, following = text.partition("\n")
    first = first.strip("\r")
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], following, 1
    return None, text, 0


def _reader_after_header(
    text: str, delimiter: str | None, titles: ColumnTitles
) -> tuple["CsvReader", Columns]:
    """A reader past the header, with the delimiter under which that has an `email` column."""
    first: list[str] = []
    for candidate in delimiter or _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=candidate, strict=True)
        try:
            cells = next((cells for cells in reader if any(cells)), [])
        except csv.Error:
            continue
        first = max(first, cells, key=len)
        header = formula_guard.unguard_all(cells)
        if columns.has_email(header, titles):
            if title := columns.missing(header, titles):
                raise SubscriberError(
                    f"there is no column {title!r}; the first line has {_listed(header)}",
                    hint="Correct --column.",
                )
            return reader, columns.of(header, titles)
    raise _no_header(first)


def _no_header(cells: Sequence[str]) -> SubscriberError:
    names = _listed(cells) or "nothing that is CSV"
    if any("@" in cell for cell in cells):
        return SubscriberError(
            f"the first line has no column names; found {names}",
            hint="Put a line such as `email,name` above the readers.",
        )
    return SubscriberError(
        f"the first line has no column `email`; found {names}",
        hint="Name the column of addresses `email`, or say which it is: --column email=TITLE. If"
        " columns are parted by another sign than a comma, semicolon, tab or bar, name it:"
        " --delimiter",
    )


def _listed(cells: Sequence[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in cells[:6])


def json_rows(text: str, titles: ColumnTitles) -> Iterator[ListRow | BadRow]:
    """The objects of one list. Raises SubscriberError for what is not JSON."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SubscriberError(f"the file is not JSON: {error}") from None
    for number, item in enumerate(items, start=1):
        yield _object(number, item, titles)


def jsonl_rows(text: str, titles: ColumnTitles) -> Iterator[ListRow | BadRow]:
    """One object a line."""
    # Not splitlines(): a JSON text may hold U+2028 as it is.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield BadRow(number, f"not JSON: {error}")
        else:
            yield _object(number, item, titles)


def _object(number: int, item: object, titles: ColumnTitles) -> ListRow | BadRow:
    if not isinstance(item, Mapping):
        return BadRow(number, 'expected an object such as {"email": "name@example.com"}')
    names = tuple(str(name) for name in item)
    if not columns.has_email(names, titles):
        return BadRow(number, f"there is no `email`; found {', '.join(names[:6]) or 'nothing'}")
    try:
        header = columns.of(names, titles)
    except SubscriberError as error:
        return BadRow(number, error.message)
    return ListRow(number, header, [_as_text(value) for value in item.values()])


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
