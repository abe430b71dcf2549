"""Rendering: one variant, whole, in the edition's order."""

from dataclasses import replace
from pathlib import Path

import pytest

from digest.composer.personalization import PlaceholderMarkers, SegmentFieldNeeded
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.composer.web_page import page
from digest.model.edition import Edition, Placement, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter, Site
from tests.composer.editions import (
    ANA,
    GIF,
    NEWSLETTER,
    SITE,
    SITE_WITH_PAGES,
    edition,
    minimal,
    ordinary_day,
    story,
)
from tests.composer.parts import plain_text, seen
from tests.composer.test_message import variant_of

TEMPLATES = open_templates()


def variant(
    made: Edition, *topics: str, language: str = "en", images: Path | None = None
) -> RenderedVariant | None:
    result = render(
        made,
        VariantKey(language=language, topics=topics),
        site=SITE,
        newsletter=NEWSLETTER,
        templates=TEMPLATES,
        images_folder=images,
    )
    assert not isinstance(result, SegmentFieldNeeded)
    return result


def test_nothing_for_these_topics_is_no_mail() -> None:
    assert variant(ordinary_day(), "Chess") is None


def test_a_variant_with_another_lead_has_another_subject() -> None:
    sport = variant(ordinary_day(), "sport")
    assert sport is not None
    assert sport.subject == "The Harbour Daily: Rowers win the coastal regatta by half a length"
    assert "Harbour bridge" not in sport.html
    assert "Harbour bridge" not in sport.text


def test_the_editions_own_subject_is_kept_for_its_own_lead() -> None:
    made = variant(replace(ordinary_day(), subject="An editor’s own words"))
    assert made is not None
    assert made.subject == "An editor’s own words"


def test_a_reader_of_another_language_has_its_words_and_date() -> None:
    german = variant(ordinary_day(), language="de")
    assert german is not None
    assert "Per E-Mail an editors@example.com abbestellen" in german.html
    assert "Donnerstag, 12. März 2026" in german.text
    assert german.html.startswith('<!DOCTYPE html>\n<html lang="de" dir="ltr">')


def test_the_preheader_counts_what_follows_and_holds_no_headline() -> None:
    html = variant_of(ordinary_day()).html
    hidden = html.split('class="preheader"')[1].split("</div>")[0]
    assert "Plus 13 more stories in Town, Sport, and Culture" in hidden
    assert not any(one.title in hidden for one in ordinary_day().stories)


def test_one_story_alone_has_a_preheader_too() -> None:
    html = variant_of(minimal()).html
    assert "The Harbour Daily, Thursday, March 12, 2026͏" in html


def test_styles_are_inside_and_dark_mode_survives() -> None:
    html = variant_of(ordinary_day()).html
    assert "background-color: #171614 !important" in html
    assert html.count("<style") == 2, "one for Outlook, inside a comment, and the refinements"
    assert '<a class="ink" href="' in html
    assert "color:#1b1916;text-decoration:none" in html


def test_no_feed_can_forge_a_placeholder() -> None:
    forged = PlaceholderMarkers.of(minimal().nonce).key
    made = variant_of(edition([story(1, f"slot{forged}x6e616d65x and slot{forged.upper()}x")]))
    shown = plain_text(made, ANA, edition=minimal(), site=SITE, newsletter=NEWSLETTER)
    assert "[1] slotx6e616d65x and slotx\n" in shown


def test_an_image_that_cannot_travel_is_left_out_and_named(tmp_path: Path) -> None:
    made = variant(ordinary_day("images/gone.jpg"), images=tmp_path)
    assert made is not None
    assert made.cut.images == ("images/gone.jpg",)
    assert "<img" not in made.html


def test_an_image_outside_of_the_folder_never_travels(tmp_path: Path) -> None:
    (tmp_path / "secret.gif").write_bytes(GIF)
    (tmp_path / "site").mkdir()
    for path in ("../secret.gif", str(tmp_path / "secret.gif")):
        made = variant(ordinary_day(path), images=tmp_path / "site")
        assert made is not None
        assert made.cut.images == (path,)


def test_an_image_on_the_web_stays_there() -> None:
    html = variant_of(ordinary_day("https://img.example.com/ä.jpg")).html
    assert 'src="https://img.example.com/%C3%A4.jpg" alt="" width="600"' in html


@pytest.mark.parametrize(
    ("site", "links"),
    [
        (SITE, ["mailto:editors@example.com?subject=unsubscribe%20t0ken-of-Ana_1"]),
        (
            SITE_WITH_PAGES,
            [
                "https://news.example.com/p/t0ken-of-Ana_1",
                "https://news.example.com/u/t0ken-of-Ana_1",
                "https://news.example.com/e/daily/42",
            ],
        ),
    ],
)
def test_a_page_shows_images_and_the_readers_own_links(
    tmp_path: Path, site: Site, links: list[str]
) -> None:
    (tmp_path / "bridge.gif").write_bytes(GIF)
    made = ordinary_day("bridge.gif")
    shown = page(
        variant_of(made, site=site),
        ANA,
        edition=made,
        site=site,
        newsletter=NEWSLETTER,
        images_folder=tmp_path,
    )
    assert 'src="data:image/gif;base64,R0lGOD' in shown
    assert seen(shown).links[len(made.stories) :] == links
    assert "ana@example.org is subscribed to The Harbour Daily" in seen(shown).text


def test_an_essay_of_a_summary_is_cut_to_a_deck() -> None:
    long = story(1, "Lead", deck="Something happened. " * 200)
    assert len(variant_of(edition([long])).text) < 1200


def both_parts(made: Edition, newsletter: Newsletter) -> tuple[str, str]:
    """The text, and what the HTML shows."""
    variant = variant_of(made, newsletter=newsletter)
    text = plain_text(variant, ANA, edition=made, site=SITE, newsletter=newsletter)
    html = page(variant, ANA, edition=made, site=SITE, newsletter=newsletter, images_folder=Path())
    return text, seen(html).text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "You receive this because ana@example.org is subscribed to the harbour post."),
        ("de", "weil ana@example.org den Newsletter the harbour post abonniert hat."),
        ("fr", "parce que ana@example.org est abonné à the harbour post."),
        ("ar", "مشترك في نشرة «the harbour post»."),
    ],
)
def test_a_newsletter_that_is_called_like_its_site_is_named_once(
    language: str, sentence: str
) -> None:
    newsletter = replace(NEWSLETTER, title="the harbour post", language=language)
    text, html = both_parts(minimal(), newsletter)
    assert sentence in " ".join(text.split())
    assert sentence in html


def test_a_source_that_is_the_site_itself_is_not_named() -> None:
    lead, related, section, headline = Placement
    stories = [
        story(1, "Lead", lead, source="THE HARBOUR POST", author="Ana Moser"),
        story(2, "Related", related, source="The Harbour Post"),
        story(3, "In a section", section, "Town", source="The Harbour Post", deck="D."),
        story(4, "Elsewhere", section, "Town", source="Coast Radio", deck="D."),
        story(5, "A headline", headline, source="The Harbour Post"),
    ]
    made = edition(stories)
    text, html = both_parts(made, NEWSLETTER)
    stories_of_html = html.split("Lead", 2)[-1].split("You receive this")[0]
    stories_of_text = text.split("[1]")[1].split("You receive this")[0]
    for part in (stories_of_html, stories_of_text):
        assert "harbour post" not in part.casefold()
        assert "Coast Radio · 6:00" in part
        assert "By Ana Moser · 6:00" in part
    assert "[5] A headline\n" in text
