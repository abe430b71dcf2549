"""Explain: why an article is in or out, by the code that decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.model.newsletter import Rules
from digest.publishing.explain import ArticleInNewsletter, explain_article, find_articles
from digest.storage import articles
from digest.storage.database import Access, open_database
from tests.publishing.paper import NOW, Paper


def explained(paper: Paper, what: str, *, hours: float = 0) -> ArticleInNewsletter:
    with open_database(paper.settings.database, Access.READ) as db:
        (article,) = find_articles(db, what)
        (answer,) = explain_article(
            db, paper.settings, article, now=NOW + timedelta(hours=hours), only="daily"
        )
        return answer


def titles(paper: Paper, what: str) -> list[str]:
    with open_database(paper.settings.database, Access.READ) as db:
        return [article.title for article in find_articles(db, what)]


def prospect(answer: ArticleInNewsletter) -> tuple[str | None, str]:
    assert answer.forecast is not None
    return answer.forecast.verdict, answer.forecast.reason


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("1", ["Ferry runs again"]),
        ("https://gazette.example/2", ["Ferry late, 100% sure"]),
        ("HTTPS://Gazette.example/2?utm_source=x", ["Ferry late, 100% sure"]),
        ("again ferry", ["Ferry runs again"]),
        ("FERRY", ["Ferry runs again", "Ferry late, 100% sure"]),
        ("100%", ["Ferry late, 100% sure"]),
        ("%", ["Ferry late, 100% sure"]),
        ("2026", []),
        ("99999999999999999999", []),
        ("https://gazette.example/9", []),
        ("http://[", []),
        ("", []),
    ],
)
def test_an_article_is_meant_by_number_link_or_words(
    paper: Paper, what: str, expected: list[str]
) -> None:
    paper.publish("Ferry runs again", hours=1)
    paper.publish("Ferry late, 100% sure", hours=2)
    assert titles(paper, what) == expected


def test_a_number_that_no_article_has_is_a_word_of_a_title(paper: Paper) -> None:
    paper.publish("The year 2026")
    assert titles(paper, "2026") == ["The year 2026"]


def test_one_that_was_chosen_has_its_place_and_no_prospect(paper: Paper) -> None:
    paper.publish("Ferry late", section="Town")
    paper.subscribe("ada@example.com")
    paper.sent(now=NOW)
    answer = explained(paper, "1", hours=1)
    assert answer.forecast is None
    assert answer.decided.place is not None
    assert (answer.decided.place.number, answer.decided.place.slot) == (1, "2026-03-12T07:00")
    assert str(answer.decided.place.placement) == "lead"


def test_the_prospect_is_what_selection_decides(paper: Paper) -> None:
    paper = paper.with_rules(Rules(max_items=1, max_age=timedelta(days=2)))
    paper.publish("Ferry late", hours=1)
    paper.publish("Library open", hours=2)
    paper.publish("Ferry late", hours=3)
    paper.publish("An old story", hours=47)
    assert prospect(explained(paper, "1")) == ("chosen", "lead, place 1")
    assert prospect(explained(paper, "2")) == ("waiting", "over the limit of 1 stories")
    assert prospect(explained(paper, "3")) == ("duplicate", "same headline as article 1")
    verdict, _ = prospect(explained(paper, "4", hours=2))
    assert verdict == "too old"
    assert prospect(explained(paper, "1", hours=-2)) == (None, "it is not published yet")


def test_where_there_are_too_few_it_says_what_would_be_if_there_were_enough(paper: Paper) -> None:
    paper = paper.with_rules(Rules(min_items=4))
    paper.publish("Ferry late", "Library open")
    answer = explained(paper, "2").forecast
    assert answer is not None
    assert answer.short == "2 of 4 stories: no edition would be made"
    assert answer.verdict == "chosen"


def test_what_waits_has_both_its_decision_and_its_prospect(paper: Paper) -> None:
    paper = paper.with_rules(Rules(max_items=1))
    paper.publish("Ferry late", hours=1)
    paper.publish("Library open", hours=2)
    paper.subscribe("ada@example.com")
    paper.sent(now=NOW)
    answer = explained(paper, "2", hours=1)
    assert answer.decided.decision is not None
    assert answer.decided.decision.verdict == "waiting"
    assert prospect(answer) == ("chosen", "lead, place 1")


def test_the_editors_hand_is_seen(paper: Paper) -> None:
    paper.publish("Ferry late", "Library open", hours=100)
    with open_database(paper.settings.database) as db:
        articles.pin(db, "daily", 1, NOW)
        articles.drop(db, "daily", 2, reason="an advertisement", now=NOW)
        articles.mark_withdrawn(db, 1, NOW)
    pinned, dropped = explained(paper, "1"), explained(paper, "2")
    assert pinned.decided.pinned
    assert prospect(pinned)[0] == "withdrawn"
    assert dropped.decided.decision is not None
    assert dropped.decided.decision.reason == "an advertisement"
    assert dropped.forecast is None


def test_each_newsletter_has_its_own_answer(paper: Paper) -> None:
    weekly = replace(paper.newsletter, key="weekly", rules=Rules(max_age=timedelta(days=7)))
    two = Paper(replace(paper.settings, newsletters={"daily": paper.newsletter, "weekly": weekly}))
    two.publish("Ferry late", hours=100)
    with open_database(two.settings.database, Access.READ) as db:
        (article,) = find_articles(db, "ferry")
        answers = explain_article(db, two.settings, article, now=NOW)
    assert [(one.newsletter, prospect(one)[0]) for one in answers] == [
        ("daily", "too old"),
        ("weekly", "chosen"),
    ]
