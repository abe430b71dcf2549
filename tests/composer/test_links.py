"""Links: one spelling for every part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from digest.composer.links import reader_links, token_part, web_link
from digest.composer.render import inline
from digest.errors import TemplateError
from tests.composer.editions import NEWSLETTER, SITE

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
    links = reader_links(SITE, NEWSLETTER, 42)
    assert links.unsubscribe_root + token_part("a_b-1") == "https://news.example.com/u/a_b-1"
    assert links.preferences_root + token_part("a/b") == "https://news.example.com/p/a%2Fb"
    assert links.view == "https://news.example.com/e/daily/42"
