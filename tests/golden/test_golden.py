"""Editions as readers get them, kept as files: every change of a template shows in their diff.

`pytest tests/golden --rewrite-golden` writes them anew.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.composer.links import web_link
from digest.composer.message import prepare_message
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.composer.web_page import page
from digest.lib.text import plain
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter, Site
from tests.composer import editions
from tests.composer.editions import ANA, GIF, NEWSLETTER, SITE, SITE_WITH_PAGES
from tests.composer.parts import part, plain_text, seen, text_links

FOLDER = Path(__file__).parent
DATE = datetime(2026, 3, 12, 6, 0, 5, tzinfo=UTC)

Case = tuple[Edition, Site, Newsletter]
CASES: dict[str, Case] = {
    "ordinary_day": (editions.ordinary_day("images/bridge.gif"), SITE, NEWSLETTER),
    "fifty_one_headlines": (editions.fifty_one(), SITE, NEWSLETTER),
    "with_intro": (editions.with_intro(), SITE, NEWSLETTER),
    "arabic": editions.arabic_day(),
    "german": editions.german_day(),
    "minimal": (editions.minimal(), SITE, NEWSLETTER),
    "with_pages": (editions.minimal(), SITE_WITH_PAGES, NEWSLETTER),
    "hostile": (editions.hostile(), SITE, NEWSLETTER),
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bridge.gif").write_bytes(GIF)
    return tmp_path


def rendered(case: Case, images: Path) -> RenderedVariant:
    edition, site, newsletter = case
    variant = render(
        edition,
        VariantKey(language=newsletter.language),
        site=site,
        newsletter=newsletter,
        templates=open_templates(),
        images_folder=images,
    )
    assert isinstance(variant, RenderedVariant)
    return variant


def message_of(case: Case, images: Path) -> bytes:
    edition, site, newsletter = case
    form = prepare_message(
        rendered(case, images), edition, site=site, newsletter=newsletter, images_folder=images
    )
    return form.fill(ANA, delivery_id=7, date=DATE)


@pytest.mark.parametrize("name", CASES)
def test_an_edition_is_what_it_was(name: str, images: Path, rewrite: bool) -> None:
    edition, site, newsletter = CASES[name]
    variant = rendered(CASES[name], images)
    made = {
        "edition.html": page(
            variant,
            ANA,
            edition=edition,
            site=site,
            newsletter=newsletter,
            images_folder=images,
        ).encode(),
        "edition.txt": plain_text(
            variant, ANA, edition=edition, site=site, newsletter=newsletter
        ).encode(),
        "edition.eml": message_of(CASES[name], images),
    }
    folder = FOLDER / name
    for file, content in made.items():
        if rewrite:
            folder.mkdir(exist_ok=True)
            (folder / file).write_bytes(content)
        assert (folder / file).read_bytes() == content, f"{name}/{file}: see --rewrite-golden"


@pytest.mark.parametrize("name", CASES)
def test_every_headline_is_in_each_part_once_in_the_editions_order(name: str, images: Path) -> None:
    message = message_of(CASES[name], images)
    html = seen(part(message, "html"))
    text = " ".join(part(message, "plain").split())
    titles = [plain(story.title) for story in CASES[name][0].stories]
    assert [html.text.count(title) for title in titles] == [1] * len(titles)
    assert [text.count(title) for title in titles] == [1] * len(titles)
    assert html.link_texts[: len(titles)] == titles
    assert sorted(titles, key=text.index) == titles


@pytest.mark.parametrize("name", CASES)
def test_both_parts_have_the_same_links_in_the_same_order(name: str, images: Path) -> None:
    message = message_of(CASES[name], images)
    links = text_links(part(message, "plain"))
    assert links == seen(part(message, "html")).links
    edition, site, newsletter = CASES[name]
    stories = edition.stories
    assert links[: len(stories)] == [web_link(story.url) for story in stories]
    by_mail = f"mailto:{newsletter.reply_address}?subject=unsubscribe%20t0ken-of-Ana_1"
    on_pages = ["p/t0ken-of-Ana_1", "u/t0ken-of-Ana_1", "e/daily/42"]
    assert links[len(stories) :] == (
        [f"{site.pages_url}/{page}" for page in on_pages] if site.pages_url else [by_mail]
    )


@pytest.mark.parametrize("name", CASES)
def test_the_text_part_is_text(name: str, images: Path) -> None:
    text = part(message_of(CASES[name], images), "plain")
    assert "&amp;" not in text
    assert "&#" not in text
    assert "Plus " not in text, "the preheader is not for the text part"
    too_long = [line for line in text.split("\n") if len(line) > 72]
    unbroken = (line.removeprefix("[4] ").strip() for line in too_long)
    assert [line for line in unbroken if " " in line] == []
