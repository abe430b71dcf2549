import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.config import SourceKind, SourceSettings
from digest.errors import SourceError
from digest.ingest.feeds import _feed_link
from digest.ingest.rows import RejectedRow
from digest.ingest.sources import Document, articles_of
from digest.model.article import NewArticle
from tests.ingest.conftest import MakeSource

BASE = "https://example.com/news/feed.xml"


@pytest.fixture
def source(make_source: MakeSource) -> SourceSettings:
    return make_source(name="feed", kind=SourceKind.FEED, location=BASE)


def read(
    content: str | bytes, source: SourceSettings, content_type: str | None = None
) -> tuple[tuple[NewArticle, ...], tuple[RejectedRow, ...]]:
    raw = content.encode() if isinstance(content, str) else content
    document = Document(content=raw, base=BASE, content_type=content_type)
    reading = articles_of(source, document)
    return reading.articles, reading.rejected


def rss(*items: str, head: str = "<?xml version='1.0'?>") -> str:
    return (
        f'{head}<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>'
        + "".join(f"<item>{item}</item>" for item in items)
        + "</channel></rss>"
    )


def test_rss_is_read_whole(source: SourceSettings) -> None:
    articles, rejected = read(
        rss(
            "<guid isPermaLink='false'>g1</guid><title>Ferry &amp;amp; bridge</title>"
            "<link>/ferry?utm_source=rss</link>"
            "<description>&lt;p&gt;It runs.&lt;/p&gt;</description>"
            "<content:encoded><![CDATA[<p>It <a href='more'>runs</a>.</p>]]></content:encoded>"
            "<category>Town</category><category>Sea</category>"
            "<author>ana@example.com (Ana Luz)</author>"
            "<media:content url='/ferry.jpg' medium='image'/>"
            "<pubDate>Tue, 10 Mar 2026 08:00:00 EST</pubDate>"
        ),
        source,
    )
    assert rejected == ()
    assert articles == (
        NewArticle(
            identity="guid:feed:g1",
            source="feed",
            guid="g1",
            url="https://example.com/ferry",
            canonical_url="https://example.com/ferry",
            title="Ferry & bridge",
            summary="It runs.",
            content='<p>It <a href="https://example.com/news/more"'
            ' rel="noopener noreferrer">runs</a>.</p>',
            image_url="https://example.com/ferry.jpg",
            author="Ana Luz",
            section="Town",
            tags=("Town", "Sea"),
            published_at=datetime(2026, 3, 10, 13, tzinfo=UTC),
        ),
    )


def test_atom_is_read_whole(source: SourceSettings) -> None:
    articles, rejected = read(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/">
        <title>News</title>
        <entry><id>tag:example.org,2026:1</id>
          <title type="text">Why &lt;b&gt; is bold</title>
          <link rel="enclosure" type="image/png" href="pic.png"/>
          <link href="one"/><updated>2026-03-10T08:00:00Z</updated>
          <author><name>Ana</name></author>
          <content type="html">&lt;p&gt;A long story.&lt;/p&gt;</content></entry></feed>""",
        source,
    )
    assert rejected == ()
    article = articles[0]
    assert article.title == "Why <b> is bold"
    assert article.url == "https://example.org/one"
    assert article.image_url == "https://example.org/pic.png"
    assert article.summary == "A long story."
    assert article.published_at == datetime(2026, 3, 10, 8, tzinfo=UTC)


def test_a_json_feed_is_read_whole(source: SourceSettings) -> None:
    articles, rejected = read(
        """{"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": [
        {"id": "1", "url": "one", "title": "A < B", "content_text": "Text <here>",
         "authors": [{"name": "Ana"}], "tags": ["Town"], "image": "/one.jpg",
         "date_published": "2026-03-10T08:00:00+01:00"},
        {"id": "2", "title": "No link"}]}""",
        source,
    )
    article = articles[0]
    assert article.title == "A < B"
    assert article.url == "https://example.com/news/one"
    assert article.summary == "Text <here>"
    assert article.author == "Ana"
    assert article.section == "Town"
    assert article.image_url == "https://example.com/one.jpg"
    assert article.published_at == datetime(2026, 3, 10, 7, tzinfo=UTC)
    assert [(row.place, row.reason) for row in rejected] == [("item 2", "it has no url")]


def test_the_section_of_the_source_says_more_than_a_category(make_source: MakeSource) -> None:
    source = make_source(kind=SourceKind.FEED, section="World")
    item = "<title>A</title><link>https://example.com/a</link><category>Blog</category>"
    articles, _ = read(rss(item), source)
    assert articles[0].section == "World"
    assert articles[0].tags == ("Blog",)


def test_links_are_relative_to_the_configured_base(make_source: MakeSource) -> None:
    source = make_source(kind=SourceKind.FEED, base_url="https://www.example.org/a/")
    articles, _ = read(rss("<title>A</title><link>b</link>"), source)
    assert articles[0].url == "https://www.example.org/a/b"


def test_a_header_in_a_title_stays_a_title(source: SourceSettings) -> None:
    articles, _ = read(
        rss("<title>Tea&#13;&#10;Bcc: victim@example.org</title><link>/tea</link>"), source
    )
    assert articles[0].title == "Tea Bcc: victim@example.org"


def test_control_characters_make_no_feed_unreadable(source: SourceSettings) -> None:
    articles, _ = read(
        rss(
            "<title>Te\x08a \x1b[31mred</title><link>/tea</link>", "<title>B</title><link>/b</link>"
        ),
        source,
    )
    assert [article.title for article in articles] == ["Tea [31mred", "B"]


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("windows-1251", None),
        ("shift_jis", None),
        ("utf-16", None),
        ("iso-8859-5", "text/xml; charset=iso-8859-5"),
    ],
)
def test_odd_encodings_are_read(
    source: SourceSettings, encoding: str, content_type: str | None
) -> None:
    item = "<title>Новости</title><link>/n</link>"
    head = f"<?xml version='1.0' encoding='{encoding}'?>" if content_type is None else ""
    articles, _ = read(rss(item, head=head).encode(encoding), source, content_type)
    assert articles[0].title == "Новости"


def test_a_configured_encoding_wins_over_a_wrong_claim(make_source: MakeSource) -> None:
    source = make_source(kind=SourceKind.FEED, encoding="windows-1252")
    feed = rss("<title>Café</title><link>/c</link>", head="<?xml version='1.0' encoding='utf-8'?>")
    articles, _ = read(feed.encode("windows-1252"), source)
    assert articles[0].title == "Café"


def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes(source: SourceSettings) -> None:
    whole = rss("<title>A</title><link>/a</link>", "<title>B</title><link>/b</link>")
    articles, _ = read(whole[: whole.index("<title>B")], source)
    assert [article.title for article in articles] == ["A"]


def test_entities_that_multiply_do_not_multiply(source: SourceSettings) -> None:
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 10}">' for n in range(12)
    )
    head = f"<?xml version='1.0'?><!DOCTYPE rss [{laughs}]>"
    articles, _ = read(rss("<title>A &l11;</title><link>/a</link>", head=head), source)
    assert all(len(article.title) < 500 for article in articles)


def test_a_file_of_this_machine_is_not_read_into_a_title(source: SourceSettings) -> None:
    head = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"
    articles, rejected = read(rss("<title>A&x;</title><link>/a</link>", head=head), source)
    assert [article.title for article in articles] in (["A"], ["A&x;"]), rejected


def test_an_item_without_a_date_waits_for_its_first_sight(source: SourceSettings) -> None:
    articles, _ = read(rss("<title>A</title><link>/a</link>"), source)
    assert articles[0].published_at is None


def test_a_web_page_is_told_with_the_feed_that_it_names(source: SourceSettings) -> None:
    page = (
        "<!doctype html><title>News</title>"
        '<link rel="alternate" type="application/rss+xml" href="/rss.xml">'
    )
    with pytest.raises(SourceError, match="feed is a web page, not a feed") as caught:
        read(page, source)
    assert caught.value.hint == "The page says that its feed is https://example.com/rss.xml"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "feed is empty"),
        ("Nothing to see here", "feed is not a feed: it starts with 'Nothing to see here'"),
        ("\x89PNG\r\n\x1a\n", "feed is not a feed: it starts with"),
        ("<xml><a/></xml>", "feed is not a feed: it starts with '<xml>"),
        ('{"a": 1}', "feed is JSON, but not a JSON Feed"),
        ('[{"title": "a"}]', "feed is JSON, but not a JSON Feed"),
        ('{"a": ', "feed is not a feed: it is not JSON"),
        ('{"version": "https://jsonfeed.org/version/1"}', "a JSON Feed without a list of items"),
    ],
)
def test_what_is_no_feed_is_told(source: SourceSettings, content: str, complaint: str) -> None:
    with pytest.raises(SourceError, match=complaint):
        read(content, source)


def test_an_empty_feed_is_a_feed(source: SourceSettings) -> None:
    assert read(rss(), source) == ((), ())


def test_an_image_that_is_none_costs_the_image_and_not_the_article(
    source: SourceSettings,
) -> None:
    item = "<title>A</title><link>/a</link><media:thumbnail url='data:image/png;base64,x'/>"
    articles, rejected = read(rss(item), source)
    assert articles[0].image_url is None
    assert rejected == ()


@pytest.mark.parametrize(
    ("content", "link"),
    [
        (rss("<title>A</title><link>a</link>"), "https://site.example/a"),
        (
            rss("<title>A</title><link>a</link>").replace(
                "<item>", "<link>https://paper.example/news/</link><item>", 1
            ),
            "https://paper.example/news/a",
        ),
        (
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/x/">'
            '<title>News</title><link href="https://paper.example/"/>'
            '<entry><id>1</id><title>A</title><link href="a"/></entry></feed>',
            "https://base.example/x/a",
        ),
        (
            '{"version": "https://jsonfeed.org/version/1.1", "title": "News",'
            ' "home_page_url": "https://paper.example/", "items":'
            ' [{"id": "1", "title": "A", "url": "a"}]}',
            "https://paper.example/a",
        ),
    ],
)
def test_links_of_a_feed_in_a_file_start_where_the_feed_says_else_at_the_site(
    source: SourceSettings, content: str, link: str
) -> None:
    document = Document(content=content.encode())
    reading = articles_of(source, document, site_url="https://site.example/")
    assert [article.url for article in reading.articles] == [link]
    told = replace(source, base_url="https://told.example/")
    if "xml:base" not in content:  # which is nearer to the link than anything else
        reading = articles_of(told, document, site_url="https://site.example/")
        assert [article.url for article in reading.articles] == ["https://told.example/a"]


@pytest.mark.parametrize("date", ["soon", "0001-01-01", "03/04/2026", "31 Feb 2026"])
def test_an_odd_date_costs_a_story_of_a_feed_its_date_and_not_its_place(
    source: SourceSettings, date: str
) -> None:
    content = rss(f"<title>A</title><link>/a</link><pubDate>{date}</pubDate>")
    reading = articles_of(source, Document(content=content.encode(), base=BASE))
    assert reading.rejected == ()
    assert [article.published_at for article in reading.articles] == [None]
    assert [note.place for note in reading.notes] == ["item 1"]
    assert reading.notes[0].text.endswith("; the time of reading is used instead")


def test_a_feed_whose_source_has_no_name_is_called_by_its_title(source: SourceSettings) -> None:
    nameless = replace(source, publisher="The site")
    assert read(rss("<title>A</title><link>/a</link>"), nameless)[0][0].source == "News"
    untitled = rss("<title>A</title><link>/a</link>").replace("<title>News</title>", "")
    assert read(untitled, nameless)[0][0].source == "The site"
    assert read(rss("<title>A</title><link>/a</link>"), source)[0][0].source == "feed"


@pytest.mark.parametrize(
    "page",
    [b"<link type=application/rss+xml " * 6_000, b"<link " * 33_000, b"<link" + b" " * 199_000],
)
def test_a_page_of_link_after_link_is_searched_in_one_go(page: bytes) -> None:
    start = time.perf_counter()
    assert _feed_link(page[: len(page) // 10], BASE) is None
    a_tenth = time.perf_counter() - start
    assert _feed_link(page, BASE) is None
    assert time.perf_counter() - start < 40 * a_tenth + 0.1  # quadratic would be a hundred times


def test_a_page_whose_feed_has_a_host_that_cannot_be_is_no_feed(source: SourceSettings) -> None:
    page = '<link type="application/rss+xml" href="http://[bad">'
    with pytest.raises(SourceError, match="feed is not a feed"):
        read(page, source)


def test_a_feed_that_takes_the_parser_quadratic_time_is_given_up(
    source: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.ingest.feeds._TIMEOUT", 0.2)
    monkeypatch.setattr("digest.ingest.feeds._TIMEOUT_PER_MB", 0.0)
    bases = "<a xml:base='x/'>" * 20_000  # half an hour
    with pytest.raises(SourceError, match="is a feed that takes longer than 0 s to parse"):
        read(rss(bases), source)
