from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config import key_paths
from digest.config.load import Loaded, load
from digest.config.schema import SmtpTable
from digest.errors import Problem
from digest.model.newsletter import SectionRule

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]


@pytest.fixture
def two_newsletters(minimal: str) -> str:
    return (
        minimal
        + """
sections = ["Town", "Sport"]
[newsletters.weekly-news]
from = "weekly@example.com"
[[sources]]
name = "front page"
url = "https://www.example.com/feed.xml"
"""
    )


def test_any_value_can_be_overridden(loaded: Load, two_newsletters: str) -> None:
    settings = loaded(
        two_newsletters,
        {
            "DIGEST_SITE__NAME": "Other News",
            "DIGEST_SITE__LANGUAGE": "de",
            "DIGEST_SMTP__PORT": "2525",
            "DIGEST_SMTP__TIMEOUT": "5s",
            "DIGEST_SOURCES__0__URL": "https://www.example.com/other.xml",
            "DIGEST_SOURCES__0__ALLOW_PRIVATE": "true",
            "DIGEST_SOURCES__0__COLUMNS__TITLE": "",
            "DIGEST_NEWSLETTERS__DAILY__MAX_ITEMS": "60",
            "DIGEST_NEWSLETTERS__DAILY__MAX_AGE": "3600",
            "DIGEST_NEWSLETTERS__WEEKLY_NEWS__TITLE": "Weekly",
        }
        | {"DIGEST_SOURCES__0__COLUMNS__TITLE": "headline", "DIGEST_SOURCES__0__KIND": "json"},
    ).settings

    assert (settings.site.name, settings.site.language) == ("Other News", "de")
    assert (settings.smtp.port, settings.smtp.timeout) == (2525, 5.0)
    [source] = settings.sources
    assert source.location == "https://www.example.com/other.xml"
    assert source.allow_private
    assert source.columns == {"title": "headline"}
    assert settings.newsletters["daily"].rules.max_items == 60
    assert settings.newsletters["daily"].rules.max_age == timedelta(hours=1)
    assert settings.newsletters["weekly-news"].title == "Weekly"


def test_case_does_not_matter(loaded: Load, two_newsletters: str) -> None:
    environ = {"digest_newsletters__Weekly_News__title": "Weekly"}
    assert loaded(two_newsletters, environ).settings.newsletters["weekly-news"].title == "Weekly"


@pytest.mark.parametrize(
    "text",
    [
        '["Town", {"title": "Sport", "max_items": 3}]',
        '["Town", { title = "Sport", max_items = 3 }]',
    ],
)
def test_a_list_is_given_as_json_or_as_toml(text: str, loaded: Load, two_newsletters: str) -> None:
    environ = {"DIGEST_NEWSLETTERS__DAILY__SECTIONS": text}
    assert loaded(two_newsletters, environ).settings.newsletters["daily"].rules.sections == (
        SectionRule(title="Town", match=("Town",)),
        SectionRule(title="Sport", match=("Sport",), max_items=3),
    )


def test_an_item_of_a_list_is_overridden_by_its_number(loaded: Load, two_newsletters: str) -> None:
    environ = {
        "DIGEST_NEWSLETTERS__DAILY__SECTIONS__1__MAX_ITEMS": "3",
        "DIGEST_NEWSLETTERS__DAILY__SECTIONS__1__MATCH": '["Football"]',
        "DIGEST_NEWSLETTERS__DAILY__SECTIONS__2": "Culture",
    }
    assert loaded(two_newsletters, environ).settings.newsletters["daily"].rules.sections == (
        SectionRule(title="Town", match=("Town",)),
        SectionRule(title="Sport", match=("Football",), max_items=3),
        SectionRule(title="Culture", match=("Culture",)),
    )


def test_more_than_ten_items_can_be_added_one_by_one(loaded: Load, minimal: str) -> None:
    environ = {f"DIGEST_SOURCES__{n}__NAME": f"source {n}" for n in range(12)}
    environ |= {f"DIGEST_SOURCES__{n}__PATH": f"{n}.csv" for n in range(12)}
    names = [source.name for source in loaded(minimal, environ).settings.sources]
    assert names == [f"source {n}" for n in range(12)]


def test_names_without_two_underscores_are_no_configuration(loaded: Load, minimal: str) -> None:
    environ = {"DIGEST_CONFIG": "x", "DIGEST_SMTP": "x", "DIGESTIVE__X": "x", "OTHER__X": "x"}
    assert loaded(minimal, environ).overrides == {}


def test_the_origin_of_every_override_is_known(loaded: Load, two_newsletters: str) -> None:
    environ = {"DIGEST_SOURCES__0__NAME": "x", "DIGEST_NEWSLETTERS__WEEKLY_NEWS__TITLE": "y"}
    assert loaded(two_newsletters, environ).overrides == {
        "sources[0].name": "DIGEST_SOURCES__0__NAME",
        "newsletters.weekly-news.title": "DIGEST_NEWSLETTERS__WEEKLY_NEWS__TITLE",
    }


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "DIGEST_SMTP__PROT",
            "25",
            "DIGEST_SMTP__PROT: found prot, which smtp does not have, expected one of"
            f" {', '.join(key_paths.keys(SmtpTable))}."
            " Did you mean DIGEST_SMTP__PORT?",
        ),
        (
            "DIGEST_SMTP__PASWORD",
            "hunter2",
            "DIGEST_SMTP__PASWORD: found pasword, which smtp does not have, expected one of"
            f" {', '.join(key_paths.keys(SmtpTable))}."
            " Did you mean DIGEST_SMTP__PASSWORD?",
        ),
        (
            "DIGEST_NEWSLETTERS__WEEKLY__TITLE",
            "x",
            "DIGEST_NEWSLETTERS__WEEKLY__TITLE: found weekly, which newsletters does not have,"
            " expected one of daily, weekly-news. Did you mean DIGEST_NEWSLETTERS__WEEKLY_NEWS?",
        ),
        (
            "DIGEST_NEWSLETTERS__DAILY",
            "x",
            "DIGEST_NEWSLETTERS__DAILY: found the name of the table newsletters.daily, expected the"
            " name of one of its keys. Did you mean DIGEST_NEWSLETTERS__DAILY__TITLE?",
        ),
        (
            "DIGEST_SOURCES__7__NAME",
            "x",
            "DIGEST_SOURCES__7__NAME: found 7 as a position in sources, expected a number from 0 to"
            " 1. Did you mean DIGEST_SOURCES__0?",
        ),
        (
            "DIGEST_SITE__NAME__X",
            "x",
            "DIGEST_SITE__NAME__X: found x, which site.name does not have, expected no further"
            " step.",
        ),
        (
            "DIGEST_SMTP__PORT",
            "many",
            "smtp.port: found 'many' in DIGEST_SMTP__PORT, expected a whole number from 1 to"
            " 65535.",
        ),
        (
            "DIGEST_SOURCES__0__ALLOW_PRIVATE",
            "perhaps",
            "sources[0].allow_private: found 'perhaps' in DIGEST_SOURCES__0__ALLOW_PRIVATE,"
            " expected true or false.",
        ),
        (
            "DIGEST_NEWSLETTERS__DAILY__SECTIONS",
            '["Town", 4]',
            "newsletters.daily.sections[1]: found 4 in DIGEST_NEWSLETTERS__DAILY__SECTIONS,"
            " expected a text or a table.",
        ),
        (
            "DIGEST_NEWSLETTERS__DAILY__SECTIONS",
            "Town",
            "newsletters.daily.sections: found 'Town' in DIGEST_NEWSLETTERS__DAILY__SECTIONS,"
            ' expected a list such as ["Town", { title = "Sport", max_items = 5 }].',
        ),
        (
            "DIGEST_NEWSLETTERS__DAILY__MAX_ITEMS",
            "9" * 5000,
            f"newsletters.daily.max_items: found '{'9' * 29}…{'9' * 29}' in"
            " DIGEST_NEWSLETTERS__DAILY__MAX_ITEMS, expected a whole number from 1 to 1000.",
        ),
        (
            "DIGEST_SITE__NAME",
            "not text: \udcff",
            "site.name: found 'not text: \\udcff' in DIGEST_SITE__NAME, expected a text of one"
            " line, at most 200 characters.",
        ),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, told: str, problems: Problems, two_newsletters: str
) -> None:
    found = problems(two_newsletters, {name: value}).values()
    assert [str(problem) for problem in found] == [told]


def test_a_variable_that_fits_two_keys_is_no_guess(problems: Problems, minimal: str) -> None:
    text = f'{minimal}[newsletters.a-b]\nfrom = "a@example.com"\n[newsletters.a_b]\n'
    found = problems(f'{text}from = "b@example.com"', {"DIGEST_NEWSLETTERS__A_B__TITLE": "x"})
    assert "a-b and a_b" in found["DIGEST_NEWSLETTERS__A_B__TITLE"].found


def test_two_variables_for_one_key_are_no_guess(problems: Problems, minimal: str) -> None:
    found = problems(minimal, {"DIGEST_SMTP__PORT": "1", "digest_smtp__port": "2"})
    assert found["digest_smtp__port"].found == "the same key as DIGEST_SMTP__PORT"


def test_a_key_with_two_underscores_can_be_overridden(loaded: Load, minimal: str) -> None:
    text = f'{minimal}[newsletters.a__b]\nfrom = "a@example.com"'
    settings = loaded(text, {"DIGEST_NEWSLETTERS__A__B__TITLE": "x"}).settings
    assert settings.newsletters["a__b"].title == "x"


def test_a_broken_table_in_the_file_stays_a_problem_of_the_file(
    problems: Problems, minimal: str
) -> None:
    found = problems(f"smtp = 4\n{minimal}", {"DIGEST_SMTP__PORT": "25"})
    assert {path: problem.found for path, problem in found.items()} == {"smtp": "4"}


def test_the_process_environment_is_not_read_behind_the_callers_back(
    tmp_path: Path, minimal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SITE__NAME", "Other")
    (tmp_path / "digest.toml").write_text(minimal)
    assert load(tmp_path / "digest.toml", {}).site.name == "Example News"
