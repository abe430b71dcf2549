"""JSON and JSON Lines -> rows: each object is one, with column names of its own."""

import json
from collections.abc import Iterator, Mapping

from digest.audience.rows import BadRow, Row
from digest.errors import AudienceError
from digest.subscribers import columns
from digest.subscribers.columns import Mapped


def json_rows(text: str, said: Mapped) -> Iterator[Row | BadRow]:
    """The objects of one list. Raises AudienceError for what is not JSON."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AudienceError(f"the file is not JSON: {error}") from None
    for number, item in enumerate(items, start=1):
        yield _object(number, item, said)


def jsonl_rows(text: str, said: Mapped) -> Iterator[Row | BadRow]:
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
            yield _object(number, item, said)


def _object(number: int, item: object, said: Mapped) -> Row | BadRow:
    if not isinstance(item, Mapping):
        return BadRow(number, 'expected an object such as {"email": "name@example.com"}')
    names = tuple(str(name) for name in item)
    if not columns.has_email(names, said):
        return BadRow(number, f"there is no `email`; found {', '.join(names[:6]) or 'nothing'}")
    try:
        header = columns.of(names, said)
    except AudienceError as error:
        return BadRow(number, error.message)
    return Row(number, header, [_as_text(value) for value in item.values()])


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
