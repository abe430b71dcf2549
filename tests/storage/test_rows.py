"""Rows as dataclasses, and dataclasses as rows."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from digest.model.slot import SkippedBy, SlotState
from digest.storage.rows import from_row, read, sql_list, to_row

AT = datetime(2026, 3, 12, 7, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    place: Place
    state: SlotState
    open: bool
    until: datetime | None = None
    by: SkippedBy | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


STOP = Stop(
    place=Place(name="Oslo", at=AT),
    state=SlotState.SKIPPED,
    open=True,
    until=AT,
    by=SkippedBy.EDITOR,
    pairs=(("a", "b"),),
    fields={"city": "Ås"},
)

QUERY = """
select 'Oslo' as name, '2026-03-12T07:00:00Z' as at, 'skipped' as state, 1 as open,
       '2026-03-12T07:00:00Z' as until, 'editor' as by, '[["a", "b"]]' as pairs,
       '{"city": "Ås"}' as fields
"""
SHORT = "select 'Oslo' as name, '2026-03-12T07:00:00Z' as at, 'due' as state, 0 as open"


def query(sql: str) -> sqlite3.Cursor:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute(sql)


def test_each_field_is_read_as_its_type_says() -> None:
    assert list(read(Stop, query(QUERY))) == [STOP]


def test_null_is_none_and_a_column_that_is_not_selected_leaves_the_default() -> None:
    (stop,) = read(Stop, query(f"{SHORT}, null as until"))
    assert stop == Stop(place=Place(name="Oslo", at=AT), state=SlotState.DUE, open=False)


def test_a_field_without_a_default_needs_its_column() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        read(Stop, query("select 'Oslo' as name"))


def test_fields_that_are_given_are_not_looked_for_in_the_row() -> None:
    row = query("select 'skipped' as state, 1 as open").fetchone()
    place = Place(name="Bergen", at=AT)
    assert from_row(Stop, row, place=place).place is place


def test_what_is_written_can_be_read_again() -> None:
    row = to_row(STOP) | to_row(STOP.place)
    assert (row["at"], row["until"], row["by"]) == (
        "2026-03-12T07:00:00Z",
        "2026-03-12T07:00:00Z",
        "editor",
    )
    assert row["pairs"] == '[["a", "b"]]'


def test_states_are_the_right_hand_side_of_in() -> None:
    assert sql_list([SlotState.DUE, SlotState.DRAFT]) == "('due', 'draft')"
