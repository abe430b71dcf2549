"""Properties of selection, over random candidates and whole random histories."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from digest.model.article import Article, Verdict
from digest.model.edition import Placement
from digest.model.newsletter import Rules, SectionRule
from digest.selection import Selection, TooFew, select

START = datetime(2026, 3, 1, tzinfo=UTC)
SECTIONS = ["Town", "town", "Sport", "Culture", None]
WORDS = ["ferry", "bridge", "council", "tide", "library", "choir", "harbour", "storm", "market"]

rules_ = st.builds(
    Rules,
    max_age=st.integers(1, 72).map(lambda hours: timedelta(hours=hours)),
    min_items=st.integers(1, 3),
    max_items=st.integers(3, 12),
    max_per_section=st.none() | st.integers(1, 5),
    max_per_source=st.none() | st.integers(1, 5),
    decks_per_section=st.integers(0, 4),
    sections=st.sampled_from(
        [
            (),
            (SectionRule(title="Sport", match=("sport",), max_items=2),),
            (
                SectionRule(title="Here", match=("town", "culture")),
                SectionRule(title="Sport", match=("sport",)),
            ),
        ]
    ),
    only_sections=st.booleans(),
)


@st.composite
def articles(draw: st.DrawFn, most: int = 20) -> list[Article]:
    made = []
    for id_ in range(1, draw(st.integers(0, most)) + 1):
        published = START + timedelta(minutes=draw(st.integers(0, 5 * 24 * 60)))
        expires = draw(st.none() | st.integers(1, 96))
        made.append(
            Article(
                id=id_,
                source=draw(st.sampled_from(["a.example", "b.example", "c.example"])),
                url=f"https://a.example/{id_}",
                title=" ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4))),
                published_at=published,
                first_seen_at=published,
                section=draw(st.sampled_from(SECTIONS)),
                priority=draw(st.sampled_from([0, 0, 0, 1, 5])),
                pinned=draw(st.integers(0, 9)) == 0,
                expires_at=published + timedelta(hours=expires) if expires else None,
                withdrawn_at=published if draw(st.integers(0, 9)) == 0 else None,
            )
        )
    return made


@given(articles(), rules_)
def test_every_candidate_has_exactly_one_decision(candidates: list[Article], rules: Rules) -> None:
    result = select(candidates, rules, cutoff=START + timedelta(days=6))
    if isinstance(result, TooFew):
        assert result.found < result.needed == rules.min_items
        return
    assert sorted(d.article_id for d in result.decisions) == [a.id for a in candidates]
    chosen = {d.article_id for d in result.decisions if d.verdict is Verdict.CHOSEN}
    assert chosen == {story.article_id for story in result.stories}
    assert all(decision.reason for decision in result.decisions)


@given(articles(), rules_)
def test_limits_hold_and_positions_count_from_one(candidates: list[Article], rules: Rules) -> None:
    result = select(candidates, rules, cutoff=START + timedelta(days=6))
    if isinstance(result, TooFew):
        return
    stories = result.stories
    assert rules.min_items <= len(stories) <= rules.max_items
    assert [story.position for story in stories] == list(range(1, len(stories) + 1))
    assert [s.placement for s in stories].count(Placement.LEAD) == 1
    for source in {story.source for story in stories}:
        count = sum(story.source == source for story in stories)
        assert rules.max_per_source is None or count <= rules.max_per_source
    for section in {story.section for story in stories} - {None}:
        own = [rule.max_items for rule in rules.sections if rule.title == section]
        most = next((m for m in own if m is not None), rules.max_per_section)
        assert most is None or sum(s.section == section for s in stories) <= most


@given(articles(), rules_, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    candidates: list[Article], rules: Rules, random: Random
) -> None:
    cutoff = START + timedelta(days=6)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert select(shuffled, rules, cutoff=cutoff) == select(candidates, rules, cutoff=cutoff)


@given(articles(most=25), rules_, st.lists(st.integers(1, 30), min_size=1, max_size=12))
def test_over_any_history_no_article_is_in_two_editions_and_none_disappears(
    stock: list[Article], rules: Rules, hours_between: list[int]
) -> None:
    """A newsletter's life: editions at odd hours, over a stock that is published meanwhile."""
    final: dict[int, Verdict] = {}
    waiting: set[int] = set()
    printed: list[int] = []
    cutoff = START
    for hours in hours_between:
        cutoff += timedelta(hours=hours)
        since = cutoff - rules.max_age
        candidates = [
            a
            for a in stock
            if a.published_at < cutoff
            and a.id not in final
            and (a.published_at >= since or a.id in waiting or a.pinned)
        ]
        result = select(candidates, rules, cutoff=cutoff)
        if isinstance(result, TooFew):
            continue
        printed += [story.article_id for story in result.stories]
        for decision in result.decisions:
            waiting.discard(decision.article_id)
            if decision.verdict is Verdict.WAITING:
                waiting.add(decision.article_id)
            else:
                final[decision.article_id] = decision.verdict
        decided = final.keys() | waiting
        assert all(a.id in decided for a in candidates)
    assert len(printed) == len(set(printed))
    assert all(final[id_] is Verdict.CHOSEN for id_ in printed)


@given(articles(), rules_)
def test_selecting_again_from_what_waits_never_chooses_what_was_chosen(
    candidates: list[Article], rules: Rules
) -> None:
    first = select(candidates, rules, cutoff=START + timedelta(days=6))
    if not isinstance(first, Selection):
        return
    waits = {d.article_id for d in first.decisions if d.verdict is Verdict.WAITING}
    again = [replace(a, pinned=False) for a in candidates if a.id in waits]
    second = select(again, rules, cutoff=START + timedelta(days=6, hours=1))
    if isinstance(second, Selection):
        printed = {story.article_id for story in first.stories}
        assert printed.isdisjoint(story.article_id for story in second.stories)
