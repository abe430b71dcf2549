"""An edition as an editor put it together."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.model.article import Article, Verdict
from digest.model.draft import DraftContents, DraftItem
from digest.model.edition import Placement
from digest.model.newsletter import Rules, SectionRule
from digest.selection.from_draft import arrange

CUTOFF = datetime(2026, 3, 12, 6, tzinfo=UTC)


def article(
    id_: int, title: str | None = None, *, hours: float = 1, section: str | None = None
) -> Article:
    return Article(
        id=id_,
        source="Post",
        url=f"https://news.example/{id_}",
        title=title or f"Story number {id_}",
        published_at=CUTOFF - timedelta(hours=hours),
        first_seen_at=CUTOFF - timedelta(hours=hours),
        section=section,
    )


def proposal(*ids: int, dropped: tuple[int, ...] = ()) -> DraftContents:
    lead, *others = ids
    return DraftContents(
        placed=(
            DraftItem(article_id=lead, placement=Placement.LEAD),
            *(DraftItem(article_id=id_, placement=Placement.HEADLINE) for id_ in others),
        ),
        dropped=dropped,
    )


numbers = st.integers(1, 12)


@given(
    st.lists(numbers, min_size=1, unique=True),
    st.sets(numbers),
    st.sets(numbers),
    st.sets(numbers),
)
def test_every_candidate_has_one_decision_and_the_edition_is_what_the_editor_made(
    placed: list[int], dropped: set[int], gone: set[int], candidates: set[int]
) -> None:
    made = proposal(*placed, dropped=tuple(sorted(dropped - set(placed))))
    usable = {id_: article(id_) for id_ in placed if id_ not in gone}
    found = [article(id_) for id_ in sorted(candidates - gone)]
    result = arrange(made, usable, found, Rules(max_items=1), cutoff=CUTOFF)
    if not usable:
        assert result is None
        return
    assert result is not None
    assert [story.article_id for story in result.stories] == [i for i in placed if i in usable]
    assert [story.position for story in result.stories] == list(range(1, len(usable) + 1))
    assert result.stories[0].placement is Placement.LEAD
    fates = {decision.article_id: decision.verdict for decision in result.decisions}
    assert len(fates) == len(result.decisions)
    assert set(fates) == set(usable) | {one.id for one in found}
    assert {id_ for id_, fate in fates.items() if fate is Verdict.CHOSEN} == set(usable)
    for id_ in set(fates) - set(usable):
        assert fates[id_] is (Verdict.DROPPED if id_ in made.dropped else Verdict.WAITING)


def test_what_is_ruled_out_stays_ruled_out_beside_a_draft() -> None:
    rules = Rules(
        max_age=timedelta(hours=24),
        sections=(SectionRule(title="Town", match=("town",)),),
        only_sections=True,
    )
    found = [
        article(1, section="Town"),
        article(2, hours=25, section="Town"),
        article(3, section="Chess"),
        article(4, "Story number 1", section="Town"),
    ]
    result = arrange(proposal(1), {1: found[0]}, found, rules, cutoff=CUTOFF)
    assert result is not None
    assert {d.article_id: d.verdict for d in result.decisions} == {
        1: Verdict.CHOSEN,
        2: Verdict.TOO_OLD,
        3: Verdict.OUT_OF_SCOPE,
        4: Verdict.DUPLICATE,
    }
    assert result.stories[0].topic == "Town"


def test_a_related_story_leads_where_its_lead_is_gone() -> None:
    made = DraftContents(
        placed=(
            DraftItem(article_id=1, placement=Placement.LEAD),
            DraftItem(article_id=2, placement=Placement.RELATED, title="Its own words"),
        )
    )
    result = arrange(made, {2: article(2)}, [article(2)], Rules(), cutoff=CUTOFF)
    assert result is not None
    [story] = result.stories
    assert (story.placement, story.title) == (Placement.LEAD, "Its own words")
