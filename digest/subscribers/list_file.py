"""CSV as spreadsheets and list services write it -> rows."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from digest.audience.rows import BadRow, Row
from digest.errors import AudienceError
from digest.lib.text_files import allow_long_fields
from digest.subscribers import columns, formula_guard
from digest.subscribers.columns import Columns, Mapped

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_DELIMITERS: Final = ",;\t|"


def csv_rows(text: str, delimiter: str | None, said: Mapped) -> Iterator[Row | BadRow]:
    """The rows below the header; the delimiter is found out unless it is given.

    Raises AudienceError where there is no header, or a quotation mark is never closed.
    """
    told, text, skipped = _told_delimiter(text)
    delimiter = delimiter or told
    if delimiter is not None and len(delimiter) != 1:
        raise AudienceError(f"the delimiter {delimiter!r}, expected one character such as ; or ,")
    allow_long_fields()
    reader, header = _opened(text, delimiter, said)
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
                raise AudienceError(
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
            yield Row(start, header, formula_guard.unguard_all(cells))


def _told_delimiter(text: str) -> tuple[str | None, str, int]:
    """The delimiter of a first line `sep=;`, Excel's own; the text after it, and lines taken."""
    first, _, rest = text.partition("\n")
    first = first.strip("\r")
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], rest, 1
    return None, text, 0


def _opened(text: str, delimiter: str | None, said: Mapped) -> tuple["CsvReader", Columns]:
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
        if columns.has_email(header, said):
            if title := columns.missing(header, said):
                raise AudienceError(
                    f"there is no column {title!r}; the first line has {_listed(header)}",
                    hint="Correct --column.",
                )
            return reader, columns.of(header, said)
    raise _no_header(first)


def _no_header(cells: Sequence[str]) -> AudienceError:
    found = _listed(cells) or "nothing that is CSV"
    if any("@" in cell for cell in cells):
        return AudienceError(
            f"the first line has no column names; found {found}",
            hint="Put a line such as `email,name` above the readers.",
        )
    return AudienceError(
        f"the first line has no column `email`; found {found}",
        hint="Name the column of addresses `email`, or say which it is: --column email=TITLE. If"
        " columns are parted by another sign than a comma, semicolon, tab or bar, name it:"
        " --delimiter",
    )


def _listed(cells: Sequence[str]) -> str:
    return ", ".join(repr(cell[:40]) for cell in cells[:6])
