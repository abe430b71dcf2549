"""JSON and JSON Lines: a list of objects, in one document or one on each line."""

from collections.abc import Iterator

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.json_rows import kind_of, parsed, row_of
from digest.ingest.rows import Note, RejectedRow, Row, text_of


def rows(content: bytes, source: SourceSettings) -> Iterator[Row | RejectedRow | Note]:
    """The rows of a JSON document: a list of objects, or an object with `items` or `articles`.

    `item N` counts from 1. Raises SourceError where the document is anything else.
    """
    text, notes = text_of(content, source)
    yield from notes
    try:
        document = parsed(text)
    except ValueError as error:
        raise SourceError(
            f"{source.name}: {error}",
            hint="If it has an object on each line, its kind is jsonl.",
        ) from None
    items = document
    if isinstance(document, dict):
        items = next((document[key] for key in ("items", "articles") if key in document), None)
    if not isinstance(items, list):
        raise SourceError(
            f"{source.name} is {kind_of(document)}, expected a list of articles",
            hint='Expected: [{"title": …, "url": …}, …], or that list as "items" or "articles".',
        )
    for number, item in enumerate(items, start=1):
        yield row_of(item, f"item {number:,}", source.columns)


def line_rows(content: bytes, source: SourceSettings) -> Iterator[Row | RejectedRow | Note]:
    """The rows of JSON Lines; a line that is broken is rejected, and the rest goes in.

    Raises SourceError if no line holds an object: then it is not JSON Lines.
    """
    text, notes = text_of(content, source)
    yield from notes
    good = 0
    broken: list[RejectedRow] = []
    # Not splitlines: U+2028 is allowed inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"line {number:,}"
        try:
            row = row_of(parsed(line), place, source.columns)
        except ValueError as error:
            reason = str(error).replace("line 1, ", "")
            row = RejectedRow(place=place, reason=reason, excerpt=line)
        good += isinstance(row, Row)
        if good:
            yield from broken
            broken.clear()
            yield row
        else:
            broken.append(row)  # type: ignore[arg-type]  # no Row has been seen yet
    if broken:
        raise SourceError(
            f"{source.name} has no line that is a JSON object;"
            f" {broken[0].place}: {broken[0].reason}",
            hint="If it is one document, its kind is json.",
        )
