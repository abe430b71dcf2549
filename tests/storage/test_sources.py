from datetime import UTC, datetime
from pathlib import Path

from digest.storage import sources
from digest.storage.database import open_database

MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
HERE = "https://example.com/feed"


def test_a_source_is_remembered_as_the_last_reading_left_it(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.db") as db:
        sources.record_reading(
            db, "feed", HERE, etag='"1"', last_modified=None, found_new=True, now=MONDAY
        )
        sources.record_reading(
            db, "feed", HERE, etag='"2"', last_modified="x", found_new=False, now=TUESDAY
        )
        found = sources.find(db, "feed")
        assert found is not None
        assert (found.etag, found.last_modified) == ('"2"', "x")
        assert (found.last_read_at, found.last_new_at) == (TUESDAY, MONDAY)
        assert sources.find(db, "other") is None


def test_a_failure_is_remembered_and_the_next_reading_clears_it(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.db") as db:
        sources.record_reading(
            db, "feed", HERE, etag='"1"', last_modified=None, found_new=True, now=MONDAY
        )
        sources.record_failure(db, "feed", HERE, error="it is gone", now=TUESDAY)
        failed = sources.find(db, "feed")
        assert failed is not None
        assert (failed.last_error, failed.last_error_at) == ("it is gone", TUESDAY)
        assert (failed.last_read_at, failed.etag) == (MONDAY, '"1"')
        sources.record_reading(
            db, "feed", HERE, etag=None, last_modified=None, found_new=False, now=TUESDAY
        )
        cured = sources.find(db, "feed")
        assert cured is not None
        assert (cured.last_error, cured.last_error_at) == (None, None)


def test_a_failure_at_another_place_forgets_what_the_old_place_said(tmp_path: Path) -> None:
    with open_database(tmp_path / "a.db") as db:
        sources.record_reading(
            db, "feed", HERE, etag='"1"', last_modified="x", found_new=True, now=MONDAY
        )
        sources.record_failure(db, "feed", HERE + "2", error="it is gone", now=TUESDAY)
        moved = sources.find(db, "feed")
        assert moved is not None
        assert (moved.location, moved.etag, moved.last_modified) == (HERE + "2", None, None)
