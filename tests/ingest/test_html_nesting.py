import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ingest.html import DEEPEST, is_deep, plain, sanitised


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * DEEPEST + "</div>" * DEEPEST,
        "<p>One<p>Two<br>Three<img src='x'>" * 500,
        "<ul><li>One<li>Two</ul>" * 500,
        '<p><a href="https://example.com/?a=1&b=2" title="it\'s">x</a></p>' * 500,
        "<!-- <div> -->" * 500,
        "<style>p > a { color: red }</style><p>x</p>" * 500,
        "1 < 2 & 3 > 2 " * 500,
    ],
)
def test_what_people_write_is_not_deep(markup: str) -> None:
    assert not is_deep(markup)


@pytest.mark.parametrize(
    "repeated",
    [
        "<div>",
        "<div",
        "<DIV\n>",
        "<b><p>",
        "<div></x>",
        '<div title="</div>">',
        "<div title='>'></div>'>",
        '<div a=b=" c="></div>',
        "<!--><div>-->",
        "<div><!-- --!></div><div>-->",
        "<?<!--<i><!x",
        "<div><style></div></style>",
        "<textarea><!--</textarea><div>-->",
        "<svg><link></link><wbr>",
        "<span><li></span>",
        "<b><li></b><b><dd></b>",
        "<li><dd>",
        "<object><div></object>",
    ],
)
def test_tricks_do_not_hide_how_deep_a_markup_is(repeated: str) -> None:
    assert is_deep(repeated * 200)


_PIECES = st.sampled_from(
    (
        *("<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<li>", "<ul>", "</ul>", "<br>", "x"),
        *("<!--", "-->", "<style>", "</style>", "<svg>", "</svg>", "<!x", "<?", "<div a='", "'>"),
    )
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_more_markup_is_never_less_deep(markup: str) -> None:
    if is_deep(markup, 3):
        assert is_deep(markup + "<div>", 3)
        assert not is_deep(markup, len(markup))


def test_content_that_is_nested_beyond_reason_is_kept_as_its_text() -> None:
    assert sanitised("<div>" * 500 + "<b>Tea</b> &amp; 1 < 2", 10_000) == "Tea  &amp; 1 &lt; 2"
    assert plain("<div>" * 500 + "Tea &amp; <b>milk</b>") == "Tea & milk"


def _seconds(markup: str) -> float:
    best = 9e9
    for _ in range(3):
        start = time.perf_counter()
        sanitised(markup, 200_000)
        best = min(best, time.perf_counter() - start)
    return best


@pytest.mark.parametrize("repeated", ["<div>", "<div title='>'></div>'>", "<p>x</p>", "<!--<x "])
def test_four_times_the_markup_takes_no_more_than_some_four_times_as_long(repeated: str) -> None:
    # Quadratic would be sixteen times, and was more.
    assert _seconds(repeated * 40_000) < 10 * _seconds(repeated * 10_000) + 0.05
