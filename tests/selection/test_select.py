"""Selection: what stands in an edition, in which order, and why everything else does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.model.article import Article, Verdict
from digest.model.edition import Placement
from digest.model.newsletter import Rules, SectionRule
from digest.selection import Selection, TooFew, select

CUTOFF = datetime(2026, 3, 12, 7, tzinfo=UTC)


def article(id_: int, title: str, *, hours: float = 1, **more: object) -> Article:
    """An article that was published so many hours before the cutoff."""
    published = CUTOFF - timedelta(hours=hours)
    plain = Article(
        id=id_,
        source="gazette.example",
        url=f"https://gazette.example/{id_}",
        title=title,
        published_at=published,
        first_seen_at=published,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # the tests name fields by keyword


def chosen(candidates: list[Article], rules: Rules | None = None) -> Selection:
    result = select(candidates, rules or Rules(), cutoff=CUTOFF)
    assert isinstance(result, Selection)
    return result


def fates(selection: Selection) -> dict[int, tuple[Verdict, str]]:
    return {d.article_id: (d.verdict, d.reason) for d in selection.decisions}


def titles(selection: Selection) -> list[str]:
    return [story.title for story in selection.stories]


def test_the_youngest_story_leads_when_nothing_else_speaks_for_another() -> None:
    result = chosen([article(1, "Ferry late", hours=5), article(2, "Library open", hours=1)])
    assert [(s.title, s.placement) for s in result.stories] == [
        ("Library open", Placement.LEAD),
        ("Ferry late", Placement.SECTION),
    ]


def test_a_story_with_image_and_deck_leads_before_a_younger_one_without() -> None:
    full = article(1, "Ferry late", hours=5, summary="It was fog.", image_url="https://x.example/a")
    result = chosen([full, article(2, "Library open", hours=1)])
    assert titles(result)[0] == "Ferry late"


def test_priority_leads_before_an_image_and_a_pin_before_priority() -> None:
    pictured = article(1, "Ferry late", summary="Fog.", image_url="https://x.example/a")
    urgent = article(2, "Library open", hours=9, priority=3)
    pinned = article(3, "Notice", hours=30, pinned=True)
    assert titles(chosen([pictured, urgent]))[0] == "Library open"
    assert titles(chosen([pictured, urgent, pinned]))[0] == "Notice"


def test_an_article_published_at_the_cutoff_is_no_candidate() -> None:
    late = article(1, "Ferry late", hours=0)
    with pytest.raises(ValueError, match="cutoff"):
        select([late], Rules(), cutoff=CUTOFF)


def test_an_article_exactly_max_age_old_is_in_and_one_second_more_is_too_old() -> None:
    rules = Rules(max_age=timedelta(hours=10))
    second = 1 / 3600
    result = chosen([article(1, "Ferry", hours=10), article(2, "Tide", hours=10 + second)], rules)
    assert titles(result) == ["Ferry"]
    assert fates(result)[2] == (Verdict.TOO_OLD, "published before 2026-03-11T21:00:00Z")


def test_a_pinned_article_is_in_however_old_it_is() -> None:
    result = chosen([article(1, "Fresh"), article(2, "Old", hours=900, pinned=True)])
    assert titles(result) == ["Old", "Fresh"]


def test_withdrawn_and_expired_articles_are_out_even_when_pinned() -> None:
    result = chosen(
        [
            article(1, "Fine"),
            article(2, "Wrong", pinned=True, withdrawn_at=CUTOFF - timedelta(minutes=5)),
            article(3, "Over", pinned=True, expires_at=CUTOFF),
            article(4, "Still on", expires_at=CUTOFF + timedelta(seconds=1)),
        ]
    )
    assert sorted(titles(result)) == ["Fine", "Still on"]
    assert fates(result)[2][0] is Verdict.WITHDRAWN
    assert fates(result)[3][0] is Verdict.EXPIRED


def test_articles_of_one_moment_keep_the_order_of_their_source() -> None:
    headlines = ["Ferry", "Tide", "Library", "Bridge", "Market"]
    page = [article(n, title) for n, title in enumerate(headlines, start=1)]
    assert titles(chosen(list(reversed(page)))) == headlines


def test_fifty_one_articles_of_one_day_all_stand_in_page_order_within_their_section() -> None:
    page = [
        article(n, f"Report number {n} of the day", hours=3, section="Town" if n % 2 else "Sport")
        for n in range(1, 52)
    ]
    result = chosen(page, Rules(max_items=60))
    assert len(result.stories) == 51
    assert result.stories[0].placement is Placement.LEAD
    for section, ids in (("Town", list(range(3, 52, 2))), ("Sport", list(range(2, 51, 2)))):
        assert [s.article_id for s in result.stories if s.section == section] == ids


def test_sections_stand_in_the_order_of_the_rules_and_gather_what_they_match() -> None:
    rules = Rules(
        sections=(
            SectionRule(title="Sport", match=("football", "rowing")),
            SectionRule(title="Town", match=("town",)),
        )
    )
    result = chosen(
        [
            article(1, "Lead", priority=9),
            article(2, "Council sits", section="TOWN"),
            article(3, "Regatta", section="Rowing"),
            article(4, "Cup tie", section="football", hours=0.5),
            article(5, "Lost cat", section="Notices"),
        ],
        rules,
    )
    assert [(s.title, s.section) for s in result.stories] == [
        ("Lead", None),
        ("Cup tie", "Sport"),
        ("Regatta", "Sport"),
        ("Council sits", "Town"),
        ("Lost cat", None),
    ]
    assert result.stories[-1].placement is Placement.HEADLINE


def test_only_sections_keeps_out_what_none_of_them_gathers() -> None:
    rules = Rules(sections=(SectionRule(title="Town", match=("Town",)),), only_sections=True)
    result = chosen([article(1, "In", section="Town"), article(2, "Out", section="Sport")], rules)
    assert titles(result) == ["In"]
    assert fates(result)[2] == (Verdict.OUT_OF_SCOPE, "no section takes Sport")


def test_the_first_stories_of_a_section_show_decks_and_the_rest_are_headlines() -> None:
    page = [article(n, f"Item {n}", section="Town") for n in range(1, 7)]
    result = chosen(page, Rules(decks_per_section=2))
    assert [s.placement for s in result.stories] == [
        Placement.LEAD,
        *[Placement.SECTION] * 2,
        *[Placement.HEADLINE] * 3,
    ]


def test_a_source_without_sections_gets_decks_all_the_same() -> None:
    result = chosen([article(n, f"Post {n}") for n in range(1, 6)], Rules(decks_per_section=2))
    assert [(s.placement, s.section) for s in result.stories[1:3]] == [
        (Placement.SECTION, None)
    ] * 2


def test_limits_make_articles_wait_with_the_reason() -> None:
    page = [
        article(1, "Lead", priority=9),
        article(2, "Alpha", section="Town", source="a.example"),
        article(3, "Beta", section="Town", source="b.example"),
        article(4, "Gamma", section="Sport", source="a.example"),
        article(5, "Delta", section="Sport", source="c.example"),
    ]
    by_section = fates(chosen(page, Rules(max_per_section=1)))
    assert by_section[3] == (Verdict.WAITING, "over the limit of 1 in Town")
    by_source = fates(chosen(page, Rules(max_per_source=1)))
    assert by_source[4] == (Verdict.WAITING, "over the limit of 1 from a.example")
    by_count = fates(chosen(page, Rules(max_items=3)))
    assert by_count[5] == (Verdict.WAITING, "over the limit of 3 stories")


def test_a_busy_section_leaves_room_for_the_others() -> None:
    busy = [article(n, f"Score {n}", section="Sport", hours=0.1) for n in range(1, 30)]
    concerts = ["Choir sings", "Organ mended", "Poet reads"]
    quiet = [article(30 + n, t, section="Culture", hours=20) for n, t in enumerate(concerts)]
    result = chosen(busy + quiet, Rules(max_items=8))
    assert sum(s.section == "Culture" for s in result.stories) == 3


def test_the_same_headline_stands_once_and_the_repeat_names_the_first() -> None:
    result = chosen(
        [
            article(1, "Old bridge re-opens!", source="gazette.example"),
            article(2, "The old bridge re-opens", source="radio.example", hours=2),
        ]
    )
    assert titles(result) == ["Old bridge re-opens!"]
    assert fates(result)[2] == (Verdict.DUPLICATE, "same headline as article 1")


def test_headlines_that_differ_in_a_number_only_are_not_the_same() -> None:
    result = chosen([article(1, "Stage 1 of the race"), article(2, "Stage 2 of the race")])
    assert len(result.stories) == 2


def test_up_to_three_related_headlines_stand_under_the_lead() -> None:
    page = [
        article(1, "Storm Agnes floods the old market hall", priority=5),
        *[article(n, f"Market hall flood: view {n} of storm Agnes", hours=n) for n in range(2, 6)],
        *[article(n, f"Something else entirely {n}{n}", hours=n) for n in range(7, 20)],
    ]
    result = chosen(page)
    assert [s.article_id for s in result.stories if s.placement is Placement.RELATED] == [2, 3, 4]


def test_other_stories_come_before_more_of_the_same() -> None:
    same = [article(n, f"Ferry strike talks, round {n} begins", hours=0.1 * n) for n in range(2, 5)]
    others = [
        article(10, "Library opens late", hours=20),
        article(11, "Choir seeks tenors", hours=21),
    ]
    lead = article(1, "Council sits", priority=1)
    result = chosen([lead, *same, *others], Rules(max_items=4))
    assert set(titles(result)) == {
        "Council sits",
        "Ferry strike talks, round 2 begins",
        "Library opens late",
        "Choir seeks tenors",
    }


def test_too_few_stories_make_no_edition_and_decide_nothing() -> None:
    result = select([article(1, "Alone")], Rules(min_items=4), cutoff=CUTOFF)
    assert result == TooFew(found=1, needed=4)


def test_repeats_do_not_count_towards_the_minimum() -> None:
    twins = [article(1, "Old bridge open"), article(2, "Old bridge open")]
    assert select(twins, Rules(min_items=2), cutoff=CUTOFF) == TooFew(found=1, needed=2)


def test_no_candidates_make_no_edition() -> None:
    assert select([], Rules(), cutoff=CUTOFF) == TooFew(found=0, needed=1)


def test_a_story_is_a_copy_with_a_short_deck() -> None:
    long = "A first sentence that says a good deal about the matter at hand, and more. " * 9
    story = chosen([article(1, "Ferry", summary=long, author="Harbour desk")]).stories[0]
    assert story.author == "Harbour desk"
    assert story.deck.endswith("more.")
    assert len(story.deck) <= 280


def test_a_deck_that_only_repeats_the_headline_is_empty() -> None:
    assert chosen([article(1, "Ferry late", summary="Ferry late …")]).stories[0].deck == ""
