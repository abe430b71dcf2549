"""A real list in a real file, and a clock and tokens that are the same each time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from digest.storage.database import Database, open_database
from digest.subscribers import importing, list_file
from digest.subscribers.changes import ChangeContext
from digest.subscribers.importing import ImportReport, ReadList

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)

Import = Callable[[str], tuple[ReadList, ImportReport]]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "subscribers.db") as database:
        yield database


@pytest.fixture
def given() -> ChangeContext:
    numbers = count(1)
    return ChangeContext(
        newsletter="daily", now=NOW, origin="command line", tokens=lambda: f"token{next(numbers)}"
    )


@pytest.fixture
def bring_in(db: Database, given: ChangeContext) -> Import:
    """Import the text of a file."""

    def run(text: str) -> tuple[ReadList, ImportReport]:
        listed = importing.read_list(list_file.read(text.encode()).rows, now=NOW, zone=UTC)
        return listed, importing.import_readers(db, listed.readers, given)

    return run
