"""The subject: one line of text."""

from dataclasses import replace

import pytest

from digest.composer.render import MAX_SUBJECT_LENGTH, subject_line
from digest.errors import ConfigError, TemplateError
from tests.composer.editions import CUTOFF, NEWSLETTER, story


def subject(template: str, title: str = "Tom & Jerry’s “bridge”", language: str = "en") -> str:
    newsletter = replace(NEWSLETTER, subject=template, language=language)
    return subject_line(newsletter, story(1, title), number=1042, cutoff=CUTOFF)


def test_the_default_names_the_newsletter_and_the_lead_as_text() -> None:
    assert subject(NEWSLETTER.subject) == "The Harbour Daily: Tom & Jerry’s “bridge”"


def test_number_and_date_are_in_the_newsletters_language() -> None:
    assert subject("Nr. {{ number }}, {{ date }}", language="de") == (
        "Nr. 1.042, Donnerstag, 12. März 2026"
    )


def test_a_title_cannot_add_a_header() -> None:
    assert (
        subject("{{ lead.title }}", "Sale\r\nBcc: v@example.com\x00") == "Sale Bcc: v@example.com"
    )


def test_a_long_subject_is_cut_between_words() -> None:
    made = subject("{{ lead.title }}", "word " * 100)
    assert len(made) <= MAX_SUBJECT_LENGTH
    assert made.endswith("word…")


@pytest.mark.parametrize(
    ("template", "meaning"),
    [
        ("{{ leed.title }}", "newsletters.daily.subject: 'leed' is undefined"),
        ("{{ lead.titel }}", "newsletters.daily.subject: lead has no `titel`"),
        ("{{ lead.title", "newsletters.daily.subject: unexpected end of template"),
        ("{% if false %}x{% endif %}", "comes out empty"),
        ("{{ ''.__class__ }}", "unsafe"),
    ],
)
def test_a_subject_that_is_wrong_is_refused_by_name(template: str, meaning: str) -> None:
    with pytest.raises(TemplateError) as refused:
        subject(template)
    assert meaning in refused.value.message


def test_a_misspelt_name_comes_with_the_nearest_one() -> None:
    with pytest.raises(TemplateError) as refused:
        subject("{{ leed.title }}")
    assert refused.value.hint == "Did you mean lead?"
    with pytest.raises(TemplateError) as refused:
        subject("{{ lead.titel }}")
    assert refused.value.hint == "Did you mean title?"


def test_a_language_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no language 'xx-nowhere'"):
        subject("x", language="xx-nowhere")
