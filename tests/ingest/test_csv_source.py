from datetime import UTC, datetime
from typing import Any

import pytest

from digest.config import DateOrder, SourceSettings
from digest.errors import SourceError
from digest.ingest.csv_source import _records
from digest.ingest.rows import RejectedRow
from digest.ingest.sources import Document, articles_of
from digest.model.article import NewArticle
from tests.ingest.conftest import MakeSource


def read(
    content: bytes | str, source: SourceSettings
) -> tuple[tuple[NewArticle, ...], tuple[RejectedRow, ...]]:
    raw = content.encode() if isinstance(content, str) else content
    reading = articles_of(source, Document(content=raw))
    return reading.articles, reading.rejected


def test_an_aggregators_export_is_read_as_it_is(make_source: MakeSource) -> None:
    articles, rejected = read(
        "id,title,url,source,section,published_at,story\n"
        '7,"Five years on, most firms have  ...",'
        "http://news.example.com/a.aspx?id=3&amp;utm_source=feed,"
        "MarketWatch \\(blog\\),Business,2014-03-10T17:21:20+00:00,dchK\n",
        make_source(),
    )
    assert rejected == ()
    assert articles == (
        NewArticle(
            identity="guid:paper:7",
            source="MarketWatch (blog)",
            guid="7",
            url="http://news.example.com/a.aspx?id=3",
            canonical_url="http://news.example.com/a.aspx?id=3",
            title="Five years on, most firms have…",
            section="Business",
            published_at=datetime(2014, 3, 10, 17, 21, 20, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(make_source: MakeSource, delimiter: str) -> None:
    lines = [["Headline", "Link", "Deck"], ["Ferry", "https://example.com/f", "It runs."]]
    articles, _ = read("\n".join(delimiter.join(line) for line in lines), make_source())
    assert [(a.title, a.url, a.summary) for a in articles] == [
        ("Ferry", "https://example.com/f", "It runs.")
    ]


def test_columns_can_be_named_in_the_configuration(make_source: MakeSource) -> None:
    source = make_source(columns={"title": "kop", "url": "waar"})
    articles, _ = read("title,kop,waar\nnot this,Pont,https://example.com/p\n", source)
    assert [article.title for article in articles] == ["Pont"]


def test_a_configured_column_that_is_missing_is_named_with_the_nearest(
    make_source: MakeSource,
) -> None:
    with pytest.raises(SourceError, match=r"no column 'headlin' for title.*Did you mean headline"):
        read("headline,url\na,https://example.com/\n", make_source(columns={"title": "headlin"}))


def test_a_file_without_a_header_says_what_was_found_and_what_was_expected(
    make_source: MakeSource,
) -> None:
    with pytest.raises(SourceError, match=r"its first line is 'Ferry,https://") as e:
        read("Ferry,https://example.com/f\nBridge,https://example.com/b\n", make_source())
    assert e.value.hint is not None
    assert "title, url, summary" in e.value.hint


def test_a_header_without_a_url_names_the_columns_that_there_are(make_source: MakeSource) -> None:
    with pytest.raises(SourceError, match="no column for url; it has title, lnk"):
        read("title,lnk\na,b\n", make_source())


def test_a_wrong_delimiter_is_told_with_the_right_one(make_source: MakeSource) -> None:
    with pytest.raises(SourceError, match=r"does not have a semicolon .* with a comma") as e:
        read("title,url\na,https://example.com/\n", make_source(delimiter=";"))
    assert e.value.hint == "Leave `delimiter` out, or set it to ','."


def test_a_wrong_encoding_is_told_with_the_byte_and_the_line(make_source: MakeSource) -> None:
    content = "title,url\na,https://example.com/\nCafé,https://example.com/c\n".encode("latin-1")
    with pytest.raises(SourceError, match=r"paper is not utf-8: found 0xe9 at byte 36 \(line 3\)"):
        read(content, make_source(encoding="utf-8"))
    articles, _ = read(content, make_source(encoding="windows-1252"))
    assert articles[1].title == "Café"


def test_windows_1252_is_found_out_and_told(make_source: MakeSource) -> None:
    content = "title,url\nFür »Spaß«,https://example.com/\n".encode("cp1252")
    reading = articles_of(make_source(), Document(content=content))
    assert [article.title for article in reading.articles] == ["Für »Spaß«"]
    assert reading.notes[0].place == "line 2"
    assert reading.notes[0].text.startswith("it is not UTF-8, so the file was read as Windows-1252")


def test_utf_8_with_a_broken_byte_is_not_guessed_to_be_anything_else(
    make_source: MakeSource,
) -> None:
    content = "title,url\nCafé über,https://example.com/\n".encode() + b"Caf\xe9,x\n"
    with pytest.raises(SourceError, match=r"paper is not utf-8: found 0xe9 .* \(line 3\)"):
        read(content, make_source())


def test_a_date_that_could_mean_two_days_is_refused_with_what_to_do(
    make_source: MakeSource,
) -> None:
    content = "title,url,date\nFerry,https://example.com/f,03/04/2026\n"
    _, rejected = read(content, make_source())
    assert "does not say which number is the month" in rejected[0].reason
    assert 'dates = "day first"' in rejected[0].hint
    articles, _ = read(content, make_source(dates=DateOrder.DAY_FIRST))
    assert articles[0].published_at == datetime(2026, 4, 2, 23, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(make_source: MakeSource, encoding: str) -> None:
    articles, _ = read("title,url\nCafé,https://example.com/\n".encode(encoding), make_source())
    assert articles[0].title == "Café"


def test_an_encoding_that_does_not_exist_is_told(make_source: MakeSource) -> None:
    with pytest.raises(SourceError, match="there is no encoding 'utf-9'"):
        read("title,url\n", make_source(encoding="utf-9"))


def test_a_spreadsheet_is_not_taken_for_csv(make_source: MakeSource) -> None:
    with pytest.raises(SourceError, match="paper is a ZIP archive, as spreadsheets"):
        read(b"PK\x03\x04\x00", make_source())


def test_an_empty_file_is_told(make_source: MakeSource) -> None:
    with pytest.raises(SourceError, match="paper is empty"):
        read("\n\n", make_source())


def test_line_numbers_count_the_lines_of_quoted_fields(make_source: MakeSource) -> None:
    articles, rejected = read(
        'title,url,summary\r\n"Ferry",https://example.com/f,"It\r\nruns\r\nagain"\r\n'
        ",https://example.com/n,\r\n",
        make_source(),
    )
    assert articles[0].summary == "It runs again"
    assert rejected == (
        RejectedRow(place="line 5", reason="it has no title", excerpt="https://example.com/n"),
    )


def test_broken_rows_are_listed_and_the_rest_goes_in(make_source: MakeSource) -> None:
    articles, rejected = read(
        "title,url,published\n"
        "Good,https://example.com/1,2026-03-01\n"
        "No link,,\n"
        "Odd date,https://example.com/2,someday\n"
        "Too, many, values, here\n"
        'Bad "quote,https://example.com/3,\n'
        '"Inside" quote,https://example.com/4,\n'
        f"{'x' * 100_000},https://example.com/5,\n"
        "Script,javascript:alert(1),\n"
        "\n"
        "N\0ul,https://example.com/6,\n",
        make_source(),
    )
    assert [article.title for article in articles] == ["Good", 'Bad "quote', "Nul"]
    assert [(row.place, row.reason) for row in rejected] == [
        ("line 3", "it has no url"),
        ("line 4", "'someday' is not a date"),
        ("line 5", "it has 4 values, the header names 3 columns"),
        ("line 7", 'a quotation mark stands inside a quoted field: write it twice ("")'),
        ("line 8", "the title has 100,000 characters, at most 500"),
        ("line 9", "the link 'javascript:alert(1)' is not http or https"),
    ]


def test_a_quotation_mark_that_nothing_closes_costs_one_row(make_source: MakeSource) -> None:
    articles, rejected = read(
        'title,url\nA,https://example.com/a\n"B,https://example.com/b\nC,https://example.com/c\n',
        make_source(),
    )
    assert [article.title for article in articles] == ["A", "C"]
    assert [row.place for row in rejected] == ["line 3"]
    assert rejected[0].reason.startswith("a quotation mark opens a field here")


def test_an_image_of_a_local_file_stays_inside_the_folder(make_source: MakeSource) -> None:
    articles, rejected = read(
        "title,url,image\n"
        "A,https://example.com/a,images/a.jpg\n"
        "B,https://example.com/b,https://example.com/b.jpg\n"
        "C,https://example.com/c,../../etc/passwd\n"
        "D,https://example.com/d,/etc/passwd\n",
        make_source(),
    )
    assert [article.image_url for article in articles] == [
        "images/a.jpg",
        "https://example.com/b.jpg",
    ]
    assert [row.place for row in rejected] == ["line 4", "line 5"]
    assert "is not inside the newsletter's folder" in rejected[0].reason


def test_every_field_finds_its_place(make_source: MakeSource) -> None:
    articles, rejected = read(
        "GUID;Headline;Permalink;Standfirst;Body;Thumbnail;Byline;Category;Keywords;Weight;"
        "pubDate;Expires\n"
        "g-1;Ferry;/ferry;;<p>It runs <b>again</b>.</p>;pic.jpg;By Ana;Town;sea, boats,Sea;5;"
        "2026-07-01 10:00;2026-07-02\n",
        make_source(base_url="https://example.com/news/"),
    )
    assert rejected == ()
    assert articles[0] == NewArticle(
        identity="guid:paper:g-1",
        source="paper",
        guid="g-1",
        url="https://example.com/ferry",
        canonical_url="https://example.com/ferry",
        title="Ferry",
        summary="It runs again.",
        content="<p>It runs <b>again</b>.</p>",
        image_url="https://example.com/news/pic.jpg",
        author="By Ana",
        section="Town",
        tags=("sea", "boats"),
        priority=5,
        published_at=datetime(2026, 7, 1, 9, tzinfo=UTC),
        expires_at=datetime(2026, 7, 1, 23, tzinfo=UTC),
    )


def test_a_section_of_the_source_is_for_rows_that_name_none(make_source: MakeSource) -> None:
    articles, _ = read(
        "title,url,section\nA,https://example.com/a,Town\nB,https://example.com/b,\n",
        make_source(section="News"),
    )
    assert [article.section for article in articles] == ["Town", "News"]


def test_a_row_that_takes_the_guid_of_another_is_listed(make_source: MakeSource) -> None:
    articles, rejected = read(
        "id,title,url\n"
        "7,Ferry,https://example.com/f\n"
        "7,Ferry,https://example.com/f\n"
        "7,Bridge,https://example.com/b\n",
        make_source(),
    )
    assert [article.title for article in articles] == ["Ferry", "Ferry"]
    assert [(row.place, row.reason) for row in rejected] == [
        ("line 4", "it has the same guid '7' as line 2")
    ]


def test_a_link_that_rows_share_loses_none_of_them(make_source: MakeSource) -> None:
    articles, rejected = read(
        "title,url\nOne,https://example.com/live\nTwo,https://example.com/live\n", make_source()
    )
    assert len({article.identity for article in articles}) == 2
    assert rejected == ()


def test_a_long_summary_is_cut_after_a_word_and_content_makes_a_missing_one(
    make_source: MakeSource,
) -> None:
    articles, _ = read(
        "title,url,summary,content\n"
        f"A,https://example.com/a,{'word ' * 1_000},\n"
        f"B,https://example.com/b,,{'<p>word</p>' * 1_000}\n",
        make_source(),
    )
    assert len(articles[0].summary) <= 2_000
    assert articles[0].summary.endswith("word…")
    assert len(articles[1].summary) <= 300
    assert articles[1].summary.startswith("word word")


@pytest.mark.parametrize(
    ("priority", "complaint"),
    [
        ("high", "the priority 'high' is not a number"),
        ("1.5", "is not a whole number"),
        ("nan", ""),
    ],
)
def test_a_priority_is_a_whole_number(
    make_source: MakeSource, priority: str, complaint: str
) -> None:
    articles, rejected = read(
        f"title,url,priority\nA,https://example.com/a,{priority}\n", make_source()
    )
    assert articles == ()
    assert complaint in rejected[0].reason


def test_a_file_of_broken_rows_is_read_in_one_go() -> None:
    class Counted(list[str]):
        reads = 0

        def __getitem__(self, at: Any) -> Any:
            self.reads += len(range(*at.indices(len(self)))) if isinstance(at, slice) else 1
            return super().__getitem__(at)

    lines = Counted(['"a"b,c\n', '"a\n', 'b"c\n'] * 1_000 + ['"d\n', "e\n"])
    complaints = [values for _, values in _records(lines, 0, ",") if isinstance(values, str)]
    assert len(complaints) == 2_001
    assert lines.reads < 2 * len(lines)
