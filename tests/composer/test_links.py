"""Links: one spelling for every part."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from digest.composer.inlining import inline
from digest.composer.links import mail_link, reader_links, token_part, web_link
from digest.errors import TemplateError
from tests.composer.editions import NEWSLETTER, SITE, SITE_WITH_PAGES

URLS = st.builds(
    "https://example.com/{}?{}#{}".format,
    *[st.text(st.characters(exclude_categories=["C"]), max_size=30)] * 3,
)


def test_a_link_is_written_in_ascii() -> None:
    assert web_link("https://straße.example/ä b?q=ü|x#é") == (
        "https://xn--strae-oqa.example/%C3%A4%20b?q=%C3%BC%7Cx#%C3%A9"
    )
    assert web_link("http://[2001:db8::1]:8080/x") == "http://[2001:db8::1]:8080/x"
    assert web_link("https://example.com/a%20b") == "https://example.com/a%20b"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "/relative",
        "",
        "https://",
        "https://[",
        "ftp://example.com",
        "data:text/html,x",
        "https://exa mple.com/",
        "https://example.com:x/",
    ],
)
def test_what_is_not_a_web_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(TemplateError) as refused:
        web_link(url)
    assert repr(url) in refused.value.message


@given(URLS)
def test_the_inliner_leaves_a_link_as_it_is(url: str) -> None:
    link = web_link(url)
    assert web_link(link) == link
    escaped = link.replace("&", "&amp;")
    page = inline(f'<!DOCTYPE html><html><body><a href="{escaped}">x</a></body></html>')
    assert [a.get("href") for a in lxml_html.fromstring(page).iter("a")] == [link]
    assert f'href="{escaped}"' in page


def test_a_readers_links_stand_below_the_sites_address() -> None:
    links = reader_links(SITE_WITH_PAGES, NEWSLETTER, 42)
    assert links.pages
    assert links.unsubscribe_root + token_part("a_b-1") == "https://news.example.com/u/a_b-1"
    assert links.preferences_root + token_part("a/b") == "https://news.example.com/p/a%2Fb"
    assert links.view == "https://news.example.com/e/daily/42"


def test_without_pages_a_reader_leaves_by_mail() -> None:
    links = reader_links(SITE, NEWSLETTER, 42)
    assert not links.pages
    assert links.unsubscribe_mail_root + token_part("a_b-1") == (
        "mailto:editors@example.com?subject=unsubscribe%20a_b-1"
    )


def test_a_mail_link_is_a_uri_whatever_the_address() -> None:
    assert mail_link("o'brien&co=1+a@straße.example", "help") == (
        "mailto:o%27brien%26co%3D1%2Ba@xn--strae-oqa.example?subject=help"
    )


@pytest.mark.parametrize(
    ("pages_url", "offered"),
    [(None, False), ("http://localhost:8000", False), ("HTTPS://pages.example", True)],
)
def test_one_click_is_offered_where_pages_answer_by_https(
    pages_url: str | None, *, offered: bool
) -> None:
    site = replace(SITE, pages_url=pages_url)
    assert reader_links(site, NEWSLETTER, 42).one_click is offered
