"""What is remembered of a source's habit: the days on which it published something new."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.config import SourceKind, SourceSettings
from digest.ingest.sources import gather
from digest.storage import sources
from digest.storage.database import open_database

NOW = datetime(2026, 3, 12, 7, tzinfo=UTC)


def gathered(folder: Path, *published: str | None, now: datetime = NOW) -> tuple[date, ...]:
    """The days that are remembered after a source was read that holds these articles."""
    rows = [
        {"title": f"Story {when}", "url": f"https://town.example/{when}", "published_at": when}
        for when in published
    ]
    file = folder / "town.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    source = SourceSettings(
        name="Town", kind=SourceKind.JSON, location=str(file), timezone=ZoneInfo("UTC")
    )
    with open_database(folder / "subscribers.db") as db:
        gather(db, [source], now=now)
        return sources.days(db, "Town")


def test_the_first_reading_of_a_source_tells_its_habit(tmp_path: Path) -> None:
    told = gathered(tmp_path, "2026-03-09T08:00Z", "2026-03-11T08:00Z", "2026-03-11T09:00Z")
    assert told == (date(2026, 3, 9), date(2026, 3, 11))


def test_days_to_come_and_days_long_past_are_no_habit(tmp_path: Path) -> None:
    told = gathered(tmp_path, "2026-03-13T08:00Z", "2025-02-01T08:00Z", "2025-03-01T08:00Z")
    assert told == (date(2025, 3, 1),)


def test_what_has_no_date_counts_for_the_day_on_which_it_is_new(tmp_path: Path) -> None:
    assert gathered(tmp_path, None) == (NOW.date(),)
    later = datetime(2026, 3, 14, 7, tzinfo=UTC)
    assert gathered(tmp_path, None, now=later) == (NOW.date(),)
