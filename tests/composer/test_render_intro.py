"""The intro: what the editor says above the stories, in both parts."""

from dataclasses import replace

from digest.composer.personalization import PlaceholderMarkers
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.model.edition import Edition, RenderedVariant, VariantKey
from tests.composer.editions import NEWSLETTER, SITE, arabic_day, ordinary_day, with_intro
from tests.composer.parts import seen


def rendered(edition: Edition, *topics: str) -> RenderedVariant:
    variant = render(
        edition,
        VariantKey(language=NEWSLETTER.language, topics=topics),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=open_templates(),
    )
    assert isinstance(variant, RenderedVariant)
    return variant


def test_it_stands_between_the_masthead_and_the_lead_in_both_parts() -> None:
    edition = with_intro()
    variant = rendered(edition)
    for text in (seen(variant.html).text, variant.text):
        words = " ".join(text.split())
        told = ("No. 42", *edition.intro, edition.stories[0].title)
        assert [words.count(paragraph) for paragraph in edition.intro] == [1, 1]
        assert sorted(told, key=words.index) == list(told)


def test_readers_of_every_topic_see_it() -> None:
    assert "Good morning." in rendered(with_intro(), "sport").html


def test_it_is_text_and_not_markup() -> None:
    assert "&lt;b&gt;traffic jams&lt;/b&gt;" in rendered(with_intro()).html
    assert "<b>traffic jams</b>" in rendered(with_intro()).text


def test_it_can_neither_forge_a_placeholder_nor_turn_the_page_around() -> None:
    edition = ordinary_day()
    key = PlaceholderMarkers.of(edition.nonce).key
    variant = rendered(replace(edition, intro=(f"slot{key}x00x\u202e", "\x00\n")))
    assert key not in variant.text.partition(edition.stories[0].title)[0]
    assert "\u202e" not in variant.html


def test_arabic_is_not_slanted() -> None:
    edition, site, newsletter = arabic_day()
    variant = render(
        replace(edition, intro=("صباح الخير.",)),
        VariantKey(language="ar"),
        site=site,
        newsletter=newsletter,
        templates=open_templates(),
    )
    assert isinstance(variant, RenderedVariant)
    assert "italic" not in variant.html
    assert "italic" in rendered(with_intro()).html
