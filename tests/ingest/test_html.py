import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ingest.html import plain, sanitised, shorten


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "12 Endings for Tonight's <em>Bachelor</em> Finale",
            "12 Endings for Tonight's Bachelor Finale",
        ),
        ("AT&amp;T &#38; Verizon", "AT&T & Verizon"),
        ("AT&amp;amp;T", "AT&T"),
        ("&amp;lt;b&amp;gt;Bold&amp;lt;/b&amp;gt; claim", "Bold claim"),
        ("<p>One</p><p>Two<br>Three</p>", "One Two Three"),
        ("<script>alert(1)</script>Tea<!-- and more -->", "Tea"),
        ("<![CDATA[Plain & simple]]>", "Plain & simple"),
        ("S&P 500 at 3 < 4", "S&P 500 at 3 < 4"),
        ("Is <Python> dead?", "Is <Python> dead?"),
        ("How to use the &lt;b&gt; tag", "How to use the <b> tag"),
    ],
)
def test_markup_and_entities_become_the_text_that_was_meant(written: str, meant: str) -> None:
    assert plain(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"MarketWatch \(blog\)", "MarketWatch (blog)"),
        (r"24\/7 Wall St.", "24/7 Wall St."),
        ("Most companies have  ...", "Most companies have…"),
        ("Wait for it...", "Wait for it…"),
        ("A  tab\tand\r\na line", "A tab and a line"),
        ("It\x92s \x93so\x94", "It’s “so”"),
        ("Cafe\u0301", "Café"),
        ("zero\u200bwidth\ufeff and soft\xadhyphen", "zerowidth and softhyphen"),
        ("half a \ud83d pair", "half a \ufffd pair"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_text_is_tidied(written: str, meant: str) -> None:
    assert plain(written) == meant


def test_an_override_of_direction_cannot_make_a_text_lie() -> None:
    assert plain("invoice \u202efdp.exe\u2066\u2069") == "invoice fdp.exe"


def test_a_line_end_cannot_begin_a_header() -> None:
    assert plain("Tea\r\nBcc: victim@example.org\0\x1b[31m") == "Tea Bcc: victim@example.org[31m"


def test_an_encoded_word_stays_the_text_that_it_is() -> None:
    word = "=?utf-8?q?foo=0ABcc=3A_v=40example.org?="
    assert plain(word) == word


@given(st.text(alphabet=st.characters(), max_size=200))
def test_what_comes_out_is_one_printable_line(text: str) -> None:
    result = plain(text)
    assert result == " ".join(result.split())
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in result)
    result.encode()  # no surrogate is left


def test_a_long_text_is_cut_after_a_word() -> None:
    assert shorten("one two three four", 14) == "one two three…"
    assert shorten("one two three four", 13) == "one two…"
    assert shorten("short", 5) == "short"
    assert shorten("無" * 30, 10) == "無" * 9 + "…"


@given(st.text(max_size=300), st.integers(min_value=10, max_value=100))
def test_a_cut_text_is_never_too_long(text: str, most: int) -> None:
    assert len(shorten(text, most)) <= most


def test_content_keeps_its_shape_and_loses_what_could_harm() -> None:
    markup = (
        '<p onclick="x()">See <a href="javascript:x()">this</a> <a href="/b">too</a></p><style>p{}'
    )
    clean = sanitised(markup, 1_000, "https://example.com/a")
    assert clean == (
        '<p>See <a rel="noopener noreferrer">this</a>'
        ' <a href="https://example.com/b" rel="noopener noreferrer">too</a></p>'
    )


def test_content_is_cut_without_breaking_its_markup() -> None:
    clean = sanitised("<p>word</p>" * 100_000, 10_000)
    assert 9_000 < len(clean) <= 10_000
    assert clean.endswith("</p>")


def test_a_heap_of_accents_is_lowered() -> None:
    heap = "\u0315\u0300" * 50_000  # sorting them would take minutes
    assert len(plain("a" + heap)) <= 31
    assert plain("e" + "\u0301" * 3) == "é\u0301\u0301"
    assert plain("👍🏽" * 40) == "👍🏽" * 40
