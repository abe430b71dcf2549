"""Words, plurals, dates and direction."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from digest.composer.language import Locality, open_language
from digest.composer.templates import open_templates
from digest.errors import ConfigError
from tests.composer.editions import LJUBLJANA

OURS = open_templates()


def test_four_languages_come_with_the_program() -> None:
    assert OURS.languages == ("ar", "de", "en", "fr")


@pytest.mark.parametrize("code", OURS.languages)
def test_every_language_fills_the_same_places(code: str) -> None:
    english, other = OURS.language("en").words, OURS.language(code).words
    assert other.keys() == english.keys()
    for key, words in other.items():
        wanted = places(english[key])
        assert places(words) <= wanted, key
        # The words for one or two may say the number themselves.
        assert places(words) | {"count"} == wanted | {"count"}, key


def places(words: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(words.values() if hasattr(words, "values") else words)))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "لا مزيد من الأخبار على الويب"),
        (1, "خبر واحد آخر على الويب"),
        (2, "خبران آخران على الويب"),
        (3, "3 أخبار أخرى على الويب"),
        (11, "11 خبرًا آخر على الويب"),
        (100, "100 خبر آخر على الويب"),
    ],
)
def test_arabic_has_six_plurals(count: int, said: str) -> None:
    assert OURS.language("ar").say("more_on_the_web", count=count) == said


def test_one_story_is_not_one_stories() -> None:
    say = OURS.language("en").say
    assert say("more_on_the_web", count=1) == "1 more story on the web"
    assert say("more_on_the_web", count=2345) == "2,345 more stories on the web"


def test_arabic_runs_from_right_to_left() -> None:
    assert [OURS.language(code).locality.direction for code in ("ar", "de", "en")] == [
        "rtl",
        "ltr",
        "ltr",
    ]


def test_days_and_times_are_written_as_the_language_does_in_the_newsletters_zone() -> None:
    german = Locality.of("de")
    today = date(2026, 3, 12)
    late = datetime(2026, 3, 11, 23, 30, tzinfo=UTC)
    assert german.date(today) == "Donnerstag, 12. März 2026"
    assert german.moment(late, today=today, zone=LJUBLJANA) == "00:30"
    assert german.moment(late, today=date(2026, 3, 13), zone=LJUBLJANA) == "12. März"
    assert german.moment(late, today=date(2027, 1, 1), zone=LJUBLJANA) == "12. März 2026"
    assert german.listing(["Stadt", "Sport", "Kultur"]) == "Stadt, Sport und Kultur"


def test_a_regional_tag_takes_the_words_of_its_language_and_dates_of_its_own() -> None:
    british = OURS.language("en-GB")
    assert british.locality.code == "en-GB"
    assert british.say("unsubscribe") == "Unsubscribe"
    assert british.locality.date(date(2026, 3, 12)) == "Thursday, 12 March 2026"


def test_a_language_without_words_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError) as refused:
        OURS.language("sl")
    assert refused.value.message == (
        "there are no words for the language 'sl'; there are some for ar, de, en, fr"
    )
    assert "words/sl.toml" in (refused.value.hint or "")


def site_with(tmp_path: Path, name: str, words: str) -> Path:
    folder = tmp_path / "templates" / "email" / "words"
    folder.mkdir(parents=True)
    (folder / name).write_text(words, encoding="utf-8")
    return tmp_path


def test_a_site_changes_one_word_and_keeps_the_others(tmp_path: Path) -> None:
    english = open_templates(site_with(tmp_path, "en.toml", 'unsubscribe = "Leave"')).language("en")
    assert english.say("unsubscribe") == "Leave"
    assert english.say("preferences") == "Manage preferences"


def test_a_language_that_a_site_adds_must_be_complete(tmp_path: Path) -> None:
    words = 'issue = "Št. {number}"\n[preheader]\none = "Še {count}: {sections}"\n'
    templates = open_templates(site_with(tmp_path, "sl.toml", words))
    assert "sl" in templates.languages
    with pytest.raises(ConfigError) as refused:
        templates.language("sl")
    assert "preheader.few, preheader.other, preheader.two" in refused.value.message
    assert "unsubscribe" in refused.value.message


def test_a_language_of_a_site_may_lack_the_words_for_leaving_by_mail(tmp_path: Path) -> None:
    german = Path(OURS.folders[-1], "words", "de.toml").read_text(encoding="utf-8")
    words = "".join(line for line in german.splitlines(True) if "_by_mail" not in line)
    danish = open_templates(site_with(tmp_path, "da.toml", words)).language("da")
    assert danish.say("unsubscribe_by_mail", address="news@news.example") == "Abbestellen"


@pytest.mark.parametrize(
    ("words", "meaning"),
    [("issue = ", "is not TOML"), ("issue = 3", "issue: found 3, expected text")],
)
def test_a_broken_word_file_is_named(tmp_path: Path, words: str, meaning: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(meaning)) as refused:
        open_templates(site_with(tmp_path, "en.toml", words)).language("en")
    assert "en.toml" in refused.value.message


def test_words_never_reach_into_values(tmp_path: Path) -> None:
    templates = open_templates(site_with(tmp_path, "en.toml", 'by = "{author.__class__} {author}"'))
    assert templates.language("en").say("by", author="Ana") == "{author.__class__} Ana"


def test_a_place_that_nothing_fills_is_refused() -> None:
    with pytest.raises(LookupError, match=r"'by' has a place \{author\} that nothing fills"):
        open_language("en", OURS.folders).say("by")
