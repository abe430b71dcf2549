from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.ingest.urls import canonical, cleaned, is_homepage


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HTTP://News.Example.COM", "http://news.example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
        ("https://example.com/%7euser/%c3%a9%2F", "https://example.com/~user/%C3%A9%2F"),
        ("https://example.com/a/../b/./c", "https://example.com/b/c"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com./a", "https://example.com/a"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("//cdn.example.com/a", "https://cdn.example.com/a"),
    ],
)
def test_a_link_has_one_spelling(written: str, meant: str) -> None:
    assert cleaned(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "https://example.com/a?utm_source=rss&utm_medium=feed",
        "https://example.com/a?UTM_Campaign=x&fbclid=1&gclid=2&mc_cid=3&mc_eid=4&igshid=5",
        "https://example.com/a?utm%5Fsource=rss",
        "https://example.com/a?utm_source=rss&amp;utm_medium=feed",
        "https://example.com/a#utm_source=rss",
    ],
)
def test_what_tracks_a_reader_is_dropped(written: str) -> None:
    assert cleaned(written) == "https://example.com/a"


def test_entities_are_decoded_and_parameters_that_look_like_them_are_not() -> None:
    assert cleaned("http://example.com/?feed=A&amp;amp;id=1&#38;x=2&copy=3") == (
        "http://example.com/?feed=A&id=1&x=2&copy=3"
    )


def test_a_relative_link_needs_to_know_to_what() -> None:
    assert cleaned("../b?c", "https://example.com/a/x") == "https://example.com/b?c"
    with pytest.raises(ValueError, match="is relative, and what it is relative to is not known"):
        cleaned("b")


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "is empty"),
        ("javascript:alert(1)", "is not http or https"),
        ("mailto:a@example.com", "is not http or https"),
        ("https:///path", "names no host"),
        ("https://user:secret@example.com/", "holds a user name"),
        ("https://example.com\\@evil.example/", "holds a user name"),
        ("https://example.com/a b", "holds white space"),
        ("https://example.com/a&#10;b", "holds white space"),
        ("https://example.com/\x00", r"holds the character U\+0000"),
        ("https://example.com/\u202egpj", r"holds the character U\+202E"),
        ("https://-example-.com/", "is not a domain name"),
        ("https://exa mple.com/", "holds white space"),
        ("https://example..com/", "is not a domain name"),
        ("https://example.com:99999/", "has an impossible host or port"),
        ("https://example.com:0/", "has the port 0"),
        ("https://[::1/", "has an impossible host or port"),
        ("https://example.com/?" + "&amp;" + "amp;" * 80_000, "has 320,026 characters, at most"),
        ("https://example.com/?&#1&#4&#5&#5&#5&#53;;;;;;56;;9;", "hides entities in entities"),
        ("&#1;", "holds nothing that can be printed"),
        ("https://example.com/" + "a" * 2_000, "has 2,020 characters, at most 2,000"),
    ],
)
def test_what_is_no_link_for_a_reader_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cleaned(written)


def test_links_are_compared_without_their_fragment() -> None:
    link = cleaned("https://example.com/live#10:15")
    assert link == "https://example.com/live#10:15"
    assert canonical(link) == "https://example.com/live"


def test_a_homepage_says_not_which_article_is_meant() -> None:
    assert is_homepage(canonical(cleaned("https://example.com#item-3")))
    assert not is_homepage("https://example.com/?p=3")
    assert not is_homepage("https://example.com/a")


_PIECES = st.sampled_from(
    (
        *("&", "&amp;", "%26", "am%70;", "&am%70;", "&#37;41", "utm_source=x", "fbclid", "=", ";"),
        *(
            "%",
            "%7e",
            "%C3",
            "..",
            "/",
            ".",
            "?",
            "#",
            "é",
            "a",
            "B",
            "1",
            "+",
            "'",
            "[",
            "|",
            "//",
        ),
    )
)


@given(st.lists(_PIECES, max_size=14).map("".join))
@example("?&am%70;")
@example("/%2e%2e/&amp")
def test_cleaning_a_clean_link_changes_nothing(rest: str) -> None:
    link = cleaned("https://example.com/" + rest)
    assert cleaned(link) == link
    assert canonical(canonical(link)) == canonical(link)
    assert link.isascii()


@given(st.text(max_size=80), st.sampled_from([None, "https://example.com/a/b"]))
def test_any_text_is_a_web_link_or_refused(text: str, base: str | None) -> None:
    with suppress(ValueError):
        link = cleaned(text, base)
        assert urlsplit(link).scheme in ("http", "https")
        assert link.isascii()
        assert link.isprintable()
        assert " " not in link
        assert cleaned(link) == link


@given(st.lists(st.sampled_from(["a=1", "b", "c=%20", "utm_x=1", "d=é"]), max_size=6))
def test_the_order_of_what_stays_is_kept(fields: list[str]) -> None:
    link = cleaned("https://example.com/?" + "&".join(fields))
    kept = [field.replace("é", "%C3%A9") for field in fields if not field.startswith("utm_")]
    assert link == "https://example.com/" + ("?" + "&".join(kept) if kept else "")


def test_an_entity_that_was_escaped_over_and_over_is_one() -> None:
    assert cleaned("https://example.com/?a&" + "amp;" * 1_900 + "b") == "https://example.com/?a&b"
    assert cleaned("https://example.com/?a&" + "#38;" * 1_900 + "b") == "https://example.com/?a&b"
