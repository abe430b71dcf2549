"""JSON and JSON Lines: a list of objects, in one document or one on each line.

`row_of` and `parsed` read JSON Feed, too.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.ingest.columns import REQUIRED, keys_of
from digest.ingest.rows import Field, Note, RejectedRow, Row, text_of

#: Where an author's, an image's or a category's text stands, when it is an object itself.
_NAMES: Final = ("name", "url", "href", "title", "term", "rendered", "value")


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


def row_of(item: object, place: str, columns: Mapping[str, str]) -> Row | RejectedRow:
    """The row that an object tells; anything else, or a key of a wrong type, is rejected."""
    if not isinstance(item, dict):
        return RejectedRow(
            place=place,
            reason=f"it is {kind_of(item)}, expected an object",
            excerpt=json.dumps(item, ensure_ascii=False)[:200],
        )
    fields: dict[Field, str] = {}
    tags: tuple[str, ...] = ()
    for field, keys in keys_of(item, columns).items():
        value = next((item[key] for key in keys if item.get(key) not in (None, "", [])), None)
        if value is None:
            continue
        texts = _texts(value)
        if texts is None:
            if field not in REQUIRED:  # "image": false is how some say that there is none
                continue
            return RejectedRow(
                place=place,
                reason=f"its {field} is {kind_of(value)}, expected a text",
                excerpt=json.dumps(item, ensure_ascii=False)[:200],
            )
        if field is Field.TAGS and isinstance(value, list):
            tags = texts
        elif texts:
            fields[field] = ", ".join(texts) if field is Field.AUTHOR else texts[0]
    return Row(place=place, fields=fields, tags=tags)


def kind_of(value: object) -> str:
    """What JSON calls a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def parsed(text: str) -> Any:
    """The value of a JSON document. Raises ValueError that says where and what is wrong."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno:,}, column {error.colno:,}"
        raise ValueError(f"it is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _texts(value: object) -> tuple[str, ...] | None:
    """The texts of a value, or None where it holds something else."""
    match value:
        case str():
            return (value,)
        case bool() | None:
            return None
        case int() | float():
            return (repr(value),)
        case dict():
            named = next((value[name] for name in _NAMES if isinstance(value.get(name), str)), None)
            return None if named is None else (named,)
        case list():
            texts = [_texts(part) for part in value if not isinstance(part, list)]
            return tuple(text for part in texts if part for text in part)
        case _:
            return None
