"""CSV: a header, then a row for each article; fields may be quoted and hold line ends."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.columns import REQUIRED, columns_of, matched
from digest.ingest.rows import Field, Note, RejectedRow, Row, text_of
from digest.lib.text_files import allow_long_fields

_DELIMITERS: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_UNCLOSED: Final = "a quotation mark opens a field here, and none closes it before the file ends"


def rows(content: bytes, source: SourceSettings) -> Iterator[Row | RejectedRow | Note]:
    """The rows of a CSV file, `line N` being the line on which a row begins.

    Raises SourceError where the file as a whole makes no sense: its encoding, delimiter or header.
    """
    text, notes = text_of(content, source)
    yield from notes
    if not text.strip():
        raise SourceError(f"{source.name} is empty", hint="Its first line must name the columns.")
    allow_long_fields()
    lines = list(io.StringIO(text, newline=""))
    start = next(at for at, line in enumerate(lines) if line.strip())
    if lines[start].lower().startswith("sep="):  # a hint that spreadsheets leave for each other
        start += 1
    first = lines[start].strip("\r\n") if start < len(lines) else ""
    delimiter = source.delimiter or _delimiter_of(first, source)
    records = _records(lines, start, delimiter)
    header = [name.strip() for name in next(records, (0, ()))[1]]
    columns = _columns(header, delimiter, first, source)
    places = {field: header.index(column) for field, column in columns.items()}
    for number, values in records:
        place = f"line {number:,}"
        if isinstance(values, str):
            yield RejectedRow(place=place, reason=values, excerpt=lines[number - 1])
        elif any(value.strip() for value in values):
            yield _row(place, values, places, len(header))


def _row(
    place: str, values: Sequence[str], places: dict[Field, int], width: int
) -> Row | RejectedRow:
    if any(value.strip() for value in values[width:]):
        return RejectedRow(
            place=place,
            reason=f"it has {len(values)} values, the header names {width} columns",
            excerpt=" ".join(values),
        )
    return Row(
        place=place, fields={field: values[at] for field, at in places.items() if at < len(values)}
    )


def _records(
    lines: Sequence[str], start: int, delimiter: str
) -> Iterator[tuple[int, Sequence[str]]]:
    """Each record with the number of its first line; a broken one is the complaint, as a text."""
    while start < len(lines):
        reader = csv.reader(_from(lines, start), delimiter=delimiter, strict=True)
        begin = 0
        try:
            for values in reader:
                yield start + begin + 1, values
                begin = reader.line_num
        except csv.Error as error:
            complaint = _explained(error)
            yield start + begin + 1, complaint
            # A field that nothing closes has swallowed the rest: take that up again.
            begin = begin + 1 if complaint is _UNCLOSED else reader.line_num
            start += begin
        else:
            return


def _from(lines: Sequence[str], start: int) -> Iterator[str]:
    """The lines from `start` on. Not a slice: a file of broken rows would copy itself for each."""
    return (lines[at] for at in range(start, len(lines)))


def _columns(
    header: Sequence[str], delimiter: str, first: str, source: SourceSettings
) -> dict[Field, str]:
    columns = matched(header, source.columns)
    if any(field in columns for field in REQUIRED):
        return columns_of(header, source.columns, source.name)
    better = next((other for other in _DELIMITERS if _fits(first, other, source)), None)
    if better:
        raise SourceError(
            f"{source.name} does not have {_name(delimiter)} between its columns: the first line"
            f" has title and url with {_name(better)}",
            hint=f"Leave `delimiter` out, or set it to {better!r}.",
        )
    shown = first if len(first) <= 120 else first[:119] + "…"
    raise SourceError(
        f"{source.name} has no header with title and url; its first line is {shown!r}",
        hint="The first line must name the columns, such as title, url, summary, section,"
        " published_at; map other names with `columns` at the source in digest.toml.",
    )


def _delimiter_of(first: str, source: SourceSettings) -> str:
    """The delimiter that makes of the first line a header; if none does, the likeliest."""
    fitting = (delimiter for delimiter in _DELIMITERS if _fits(first, delimiter, source))
    return next(fitting, max(_DELIMITERS, key=first.count))


def _fits(first: str, delimiter: str, source: SourceSettings) -> bool:
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    return matched(header, source.columns).keys() >= set(REQUIRED)


def _explained(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return _UNCLOSED
    if "expected after" in str(error):
        return 'a quotation mark stands inside a quoted field: write it twice ("")'
    return str(error)


def _name(delimiter: str) -> str:
    return _DELIMITERS.get(delimiter, repr(delimiter))
