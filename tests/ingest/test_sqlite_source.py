import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from digest.config import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.sources import read_local
from tests.ingest.conftest import MakeSource


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cms.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            """
            create table posts (post_id integer primary key, kop text, link text, at real, x blob);
            insert into posts values (1, 'Ferry', 'https://example.com/f', 1394470905.0, null);
            insert into posts values (2, 'Bridge', 'https://example.com/b', null, x'00ff');
            insert into posts values (3, x'00ff', 'https://example.com/x', null, null);
            insert into posts values (4, null, 'https://example.com/y', null, null);
            insert into posts select 5, cast(x'436166e9' as text), 'https://example.com/z', null, 1;
            create view published as select post_id as id, kop as title, link as url from posts;
            create table other (a);
            """
        )
    return path


@pytest.fixture
def source(make_source: MakeSource, path: Path) -> SourceSettings:
    return make_source(
        kind=SourceKind.SQLITE,
        location=str(path),
        table="posts",
        columns={"title": "kop", "guid": "post_id", "published_at": "at"},
    )


def test_a_table_is_read_with_its_columns_mapped(source: SourceSettings) -> None:
    reading = read_local(source)
    assert [(a.guid, a.title, a.url) for a in reading.articles] == [
        ("1", "Ferry", "https://example.com/f"),
        ("2", "Bridge", "https://example.com/b"),
        ("5", "Caf\ufffd", "https://example.com/z"),
    ]
    assert [(row.place, row.reason) for row in reading.rejected] == [
        ("row 3", "its title is binary data, expected a text"),
        ("row 4", "it has no title"),
    ]


def test_a_view_is_as_good_as_a_table(make_source: MakeSource, path: Path) -> None:
    reading = read_local(make_source(kind=SourceKind.SQLITE, location=str(path), table="published"))
    assert [article.title for article in reading.articles] == ["Ferry", "Bridge", "Caf\ufffd"]


def test_reading_changes_nothing_in_the_file(source: SourceSettings, path: Path) -> None:
    before = path.read_bytes()
    read_local(source)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["cms.db"]


def test_a_missing_table_is_told_with_the_nearest(make_source: MakeSource, path: Path) -> None:
    with pytest.raises(SourceError, match=r"no table 'post'; it has .*Did you mean posts\?"):
        read_local(make_source(kind=SourceKind.SQLITE, location=str(path), table="post"))


def test_a_missing_column_is_told_with_the_nearest(make_source: MakeSource, path: Path) -> None:
    source = make_source(
        kind=SourceKind.SQLITE, location=str(path), table="posts", columns={"title": "kopp"}
    )
    with pytest.raises(SourceError, match=r"table posts, has no column 'kopp'.*Did you mean kop\?"):
        read_local(source)


def test_a_database_of_many_tables_asks_which(make_source: MakeSource, path: Path) -> None:
    with pytest.raises(SourceError, match=r"which table\? It has posts, other, published"):
        read_local(make_source(kind=SourceKind.SQLITE, location=str(path)))


def test_a_missing_file_is_told_and_not_made(make_source: MakeSource, tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    with pytest.raises(SourceError, match="there is no file"):
        read_local(make_source(kind=SourceKind.SQLITE, location=str(missing)))
    assert not missing.exists()


def test_a_file_that_is_not_sqlite_is_told(make_source: MakeSource, tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("title,url\n" * 1_000)
    with pytest.raises(SourceError, match="is not a SQLite database, or is damaged"):
        read_local(make_source(kind=SourceKind.SQLITE, location=str(path)))


def test_a_locked_database_is_told(
    source: SourceSettings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.ingest.sqlite_source.PATIENCE", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(SourceError, match="another program has locked"):
            read_local(source)
