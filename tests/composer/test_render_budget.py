"""The size budget: what goes first, what goes last, and that it is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.composer.mime import encoded_size
from digest.composer.personalization import Placeholder, PlaceholderMarkers, PlaceholderName
from digest.composer.render import MAX_HTML_BYTES, first_level_that_fits, trim_levels, trimmed
from digest.model.edition import Cut, Edition, Placement, RenderedVariant
from digest.model.newsletter import Site
from tests.composer.editions import SITE, SITE_WITH_PAGES, edition, fifty_one, ordinary_day, story
from tests.composer.test_message import variant_of

STORIES = ordinary_day().stories


def marker_of(name: PlaceholderName) -> str:
    """What stands for a value of the reader in a rendered text."""
    return PlaceholderMarkers.of(ordinary_day().nonce).marker(Placeholder(name))


def long_day(count: int) -> Edition:
    decks = [
        story(
            n,
            f"Story {n}: {'a headline of some length ' * 3}",
            Placement.SECTION,
            "Town",
            deck="A deck that says what happened, at length and in detail. " * 5,
        )
        for n in range(2, count + 1)
    ]
    return edition([story(1, "The lead", Placement.LEAD, deck="The lead’s own deck."), *decks])


def test_decks_go_from_the_end_then_stories_and_the_leads_headline_stays() -> None:
    first, cut = trimmed(STORIES, 1)
    assert (first[10].placement, first[10].deck, cut) == (Placement.HEADLINE, "", Cut(decks=1))
    assert first[7].deck == STORIES[7].deck
    last, cut = trimmed(STORIES, trim_levels(STORIES))
    assert [s.position for s in last] == [1]
    assert cut == Cut(decks=5, stories=13)


def test_each_level_takes_one_thing_more() -> None:
    cuts = [trimmed(STORIES, level)[1] for level in range(trim_levels(STORIES) + 1)]
    assert [cut.decks + cut.stories for cut in cuts] == list(range(trim_levels(STORIES) + 1))


@given(st.integers(0, 60), st.integers(0, 70))
def test_no_more_goes_than_must(most: int, needed: int) -> None:
    found = first_level_that_fits(most, lambda level: level >= needed)
    assert found == (needed if needed <= most else None)


def sizes(variant: RenderedVariant) -> tuple[int, int]:
    return len(variant.html.encode()), encoded_size(variant.html)


def test_fifty_one_ordinary_headlines_fit_whole() -> None:
    variant = variant_of(fifty_one())
    assert variant.cut == Cut()
    assert max(sizes(variant)) < MAX_HTML_BYTES / 2


def test_a_long_day_loses_decks_and_keeps_every_headline() -> None:
    variant = variant_of(long_day(110))
    assert 0 < variant.cut.decks < 110
    assert variant.cut.stories == 0
    assert MAX_HTML_BYTES * 0.95 < max(sizes(variant)) <= MAX_HTML_BYTES


@pytest.mark.parametrize(
    ("site", "link"),
    [(SITE, SITE.url), (SITE_WITH_PAGES, marker_of(PlaceholderName.VIEW))],
)
def test_an_endless_day_ends_with_a_link_to_the_rest(site: Site, link: str) -> None:
    variant = variant_of(long_day(600), site=site)
    gone = variant.cut.stories
    assert 0 < gone < 600
    assert max(sizes(variant)) <= MAX_HTML_BYTES
    for text in (variant.html, variant.text):
        assert f"{gone} more stories on the web" in text
        assert f"Story {600 - gone}:" in text
        assert f"Story {600 - gone + 1}:" not in text
    assert re.search(rf'href="{link}"[^>]*>{gone} more stories on the web', variant.html)
    assert f"{gone} more stories on the web:\n{link}\n" in variant.text
