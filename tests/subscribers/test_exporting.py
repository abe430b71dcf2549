import io
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.model.subscriber import MembershipStatus
from digest.storage import subscriptions
from digest.storage.database import Database, open_database
from digest.subscribers import importing, list_file
from digest.subscribers.changes import ChangeContext
from digest.subscribers.exporting import ExportFormat, export_list, to_file

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)


@cache
def empty_list() -> bytes:
    """A database with its schema; making one anew for every example would take most of the time."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "list.db")
        with open_database(path):
            pass
        return path.read_bytes()


@contextmanager
def fresh_list() -> Iterator[Database]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "list.db")
        path.write_bytes(empty_list())
        with open_database(path) as db:
            yield db


def bring_in(db: Database, text: str) -> None:
    numbers = count()
    context = ChangeContext(
        newsletter="daily", now=NOW, origin="test", tokens=lambda: f"t{next(numbers)}"
    )
    listed = importing.read_list(list_file.read(text.encode()).rows, now=NOW, zone=UTC)
    assert listed.rejected == []
    assert listed.notes == []
    importing.import_readers(db, listed.readers, context)


def exported(db: Database, form: ExportFormat, *statuses: MembershipStatus) -> str:
    file = io.StringIO()
    export_list(db, "daily", statuses or list(MembershipStatus), form, file)
    return file.getvalue()


_TEXTS = st.one_of(
    # A name that a mail header would decode is refused.
    st.text(max_size=12).filter(lambda text: "=?" not in text),
    st.sampled_from(
        ["=1+1", "'=1+1", "'", "@x", "a,b;c|d\t", '"', "[x", "x\ny", "\ufeff", "-5", "﷽"]
    ),
)
_PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "email": st.sampled_from(
                [f"r{n}@example.com" for n in range(6)]
                + ["+x@example.org", "=y@example.org", "'=z@example.org", "é@bücher.example"]
            ),
            "name": _TEXTS,
            "language": st.sampled_from(["", "pt-BR", "en"]),
            "timezone": st.sampled_from(["", "Europe/Lisbon"]),
            "topics": st.lists(_TEXTS, max_size=3),
            "state": st.sampled_from(list(MembershipStatus)),
            "since": st.sampled_from(["", "2026-01-05T06:07:08Z"]),
        },
        optional={
            "city": _TEXTS,
            "first_name": _TEXTS,
            "address": _TEXTS,
            "=field": _TEXTS,
            "lang": _TEXTS,
        },
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("form", list(ExportFormat))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(people=_PEOPLE)
def test_an_export_is_read_back_to_the_same_list(
    form: ExportFormat, people: list[dict[str, object]]
) -> None:
    with fresh_list() as first, fresh_list() as second:
        bring_in(first, "\n".join(json.dumps(person) for person in people))
        text = exported(first, form)
        bring_in(second, text)
        everybody = [
            [
                (
                    member.subscriber.email,
                    member.subscriber.name,
                    member.subscriber.language,
                    member.subscriber.timezone,
                    dict(member.subscriber.fields),
                    member.status,
                    member.since,
                    member.topics,
                    member.suppressed_because,
                )
                for member in subscriptions.members(db, "daily", MembershipStatus)
            ]
            for db in (first, second)
        ]
        assert everybody[0] == everybody[1]
        assert exported(second, form) == text


def test_everybody_is_exported_with_the_state() -> None:
    with fresh_list() as db:
        bring_in(
            db,
            "email,name,state,city\na@example.com,=HYPERLINK(1),active,Rome\n"
            "b@example.com,Ben,unsubscribed,\nc@example.com,,suppressed,\n",
        )
        assert exported(db, ExportFormat.CSV) == (
            "email,name,language,timezone,topics,state,since,suppressed_because,city\n"
            "a@example.com,'=HYPERLINK(1),,,,active,2026-03-12T07:00:00Z,,Rome\n"
            "b@example.com,Ben,,,,unsubscribed,2026-03-12T07:00:00Z,,\n"
            "c@example.com,,,,,suppressed,2026-03-12T07:00:00Z,test,\n"
        )


def test_no_status_is_nobody() -> None:
    with fresh_list() as db:
        bring_in(db, "email\na@example.com\n")
        file = io.StringIO()
        assert export_list(db, "daily", [], ExportFormat.JSONL, file) == 0
        assert file.getvalue() == ""
        assert len(exported(db, ExportFormat.CSV, MembershipStatus.PAUSED).splitlines()) == 1
        assert len(exported(db, ExportFormat.CSV, MembershipStatus.ACTIVE).splitlines()) == 2


def test_a_file_appears_when_it_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    with to_file(path) as file:
        file.write("email\n")
        assert not path.exists()
    assert path.read_text() == "email\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OSError, match="full"), to_file(path) as file:
        file.write("x")
        raise OSError("full")
    assert path.read_text() == "email\n"
    assert list(tmp_path.iterdir()) == [path]
