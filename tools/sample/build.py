"""Build the sample newsletter's database: `python tools/sample/build.py [OUT]`.

It takes the ways that an owner takes, reading the configured sources and importing a list of
readers, under a fixed clock and with fixed tokens: built twice, it is the same.
"""

import base64
import contextlib
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from digest.config.load import load
from digest.config.settings import Settings
from digest.errors import DigestError
from digest.ingest.sources import gather
from digest.lib.timestamps import to_text
from digest.storage import articles
from digest.storage.database import Database, open_database
from digest.subscribers import list_file
from digest.subscribers.changes import ChangeContext
from digest.subscribers.importing import import_readers, read_list

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLE: Final = ROOT / "digest" / "sample"
READERS: Final = Path(__file__).with_name("readers.csv")

#: The evening before the edition that the sample is made for.
NOW: Final = datetime(2026, 3, 11, 22, 30, tzinfo=UTC)
#: The report that the Gazette corrected.
WITHDRAWN: Final = "Harbour pool to close for good in April"


def build(out: Path) -> None:
    """Make the database at `out`, in place of whatever is there."""
    settings = load(SAMPLE / "digest.toml", {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "subscribers.db"
        with open_database(path) as db:
            _fix_keys(db)
            _read_sources(db, settings)
            _import_readers(db, settings)
        _make_one_piece(path)
        shutil.copyfile(path, out)


def _fix_keys(db: Database) -> None:
    """Keys that anybody can know, as this database can be read by anybody."""
    for row in db.rows("select name from keys"):
        key = hashlib.sha256(f"the sample's key for {row['name']}".encode()).digest()
        db.execute("update keys set key = ? where name = ?", (key, row["name"]))


def _read_sources(db: Database, settings: Settings) -> None:
    # From within the folder, so that no path of this machine is remembered.
    with contextlib.chdir(SAMPLE):
        sources = [
            replace(source, location=str(Path(source.location).relative_to(SAMPLE)))
            for source in settings.sources
        ]
        for report in gather(db, sources, now=NOW, site_url=settings.site.url):
            if report.error:
                raise report.error
            if report.rejected:
                raise DigestError(f"{report.source}: {report.rejected[0].reason}")
            print(f"{report.source}: {report.new} articles")
    (report_of_the_pool,) = articles.search(db, text=WITHDRAWN)
    articles.mark_withdrawn(db, report_of_the_pool.id, NOW)


def _import_readers(db: Database, settings: Settings) -> None:
    zone = settings.site.timezone
    readers = read_list(list_file.read(READERS.read_bytes()).rows, now=NOW, zone=zone)
    for remark in (*readers.rejected, *readers.notes, *readers.duplicates):
        raise DigestError(f"{READERS.name}, line {remark.line}: {remark.text}")
    circumstances = ChangeContext(
        newsletter="daily", now=NOW, origin=READERS.name, tokens=_fixed_tokens(), numbered=True
    )
    import_readers(db, readers.readers, circumstances)
    print(f"{READERS.name}: {len(readers.readers)} readers")


def _fixed_tokens() -> Callable[[], str]:
    """Tokens that look like real ones and are always the same. They open nothing but the sample."""
    numbers = count(1)

    def token() -> str:
        digest = hashlib.sha256(f"the sample's reader {next(numbers)}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode("ascii")

    return token


def _make_one_piece(path: Path) -> None:
    """No journal that would have to travel along, no gaps, and no time of this very day."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("update _sqlite_migrations set applied_at = ?", (to_text(NOW),))
        connection.execute("pragma journal_mode = delete")
        connection.execute("vacuum")
    finally:
        connection.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "subscribers.db"
    build(target)
    print(f"{target.name}: {target.stat().st_size:,} bytes")
