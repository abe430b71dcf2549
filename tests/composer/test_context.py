"""Who sees which stories, who leads, and what stands where."""

from digest.composer.context import of_interest, outline
from digest.model.edition import Placement
from tests.composer.editions import ordinary_day, story

STORIES = ordinary_day().stories


def titles_for(*topics: str) -> list[int]:
    return [story.position for story in of_interest(STORIES, topics)]


def test_no_topics_mean_everything() -> None:
    assert titles_for() == [story.position for story in STORIES]


def test_topics_are_compared_without_case() -> None:
    assert titles_for("SPORT", "culture") == [8, 9, 10, 11, 12]


def test_topics_that_nothing_has_leave_nothing() -> None:
    assert titles_for("Chess") == []


def test_where_the_lead_is_of_no_interest_the_first_that_remains_leads() -> None:
    first, *others = of_interest(STORIES, ["Sport"])
    assert (first.position, first.placement, first.section) == (8, Placement.LEAD, None)
    assert [other.placement for other in others] == [Placement.HEADLINE] * 2


def test_reports_of_the_same_event_stay_together_when_their_lead_goes() -> None:
    stories = (
        story(1, "Lead", Placement.LEAD, topic="Town"),
        story(2, "Same event", Placement.RELATED, topic="Business"),
        story(3, "Same event again", Placement.RELATED, topic="Business"),
        story(4, "Other", Placement.SECTION, "Business"),
    )
    page = outline(of_interest(stories, ["Business"]))
    assert page.lead.title == "Same event"
    assert [related.title for related in page.related] == ["Same event again"]
    assert [group.title for group in page.groups] == ["Business"]


def test_a_section_shows_stories_with_decks_and_then_headlines() -> None:
    town, sport, culture, also = outline(STORIES).groups
    assert [group.title for group in (town, sport, culture, also)] == [
        "Town",
        "Sport",
        "Culture",
        None,
    ]
    assert [s.position for s in town.stories] == [4, 5]
    assert [s.position for s in town.headlines] == [6, 7]
    assert (town.count, also.count) == (4, 2)
