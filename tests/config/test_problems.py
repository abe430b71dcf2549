from collections.abc import Callable

import pytest

from digest.config import key_paths
from digest.config.load import Loaded
from digest.config.schema import NewsletterTable, SmtpTable
from digest.errors import ConfigError, Problem

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

WRONG_ALL_OVER = """\
smpt = 3
[site]
nmae = "Example"
url = "example.com"
timezone = "europe/berlin"
[smtp]
port = "587"
connections = true
timeout = nan
[[sources]]
name = "a"
path = "x.csv"
url = "https://example.com"
[[sources]]
name = "A"
path = "x.dat"
[[sources]]
name = "f"
url = "ftp://example.com/feed"
columns = { titel = "x" }
[newsletters."Bad Key"]
from = "x@example.com"
[newsletters.daily]
sender_address = "foo@"
min_items = 5
max_items = 3
max_age = "soon"
sections = ["Town", { title = "T", match = ["town"], x = 1 }, 4]
"""


def test_everything_that_is_wrong_is_told_at_once(problems: Problems) -> None:
    assert set(problems(WRONG_ALL_OVER)) == {
        "smpt",
        "site.nmae",
        "site.name",
        "site.url",
        "site.timezone",
        "smtp.port",
        "smtp.connections",
        "smtp.timeout",
        "sources[0]",
        "sources[1].name",
        "sources[1].kind",
        "sources[2].url",
        "sources[2].columns.titel",
        "sources[2].columns",
        "newsletters.'Bad Key'",
        "newsletters.daily.sender_address",
        "newsletters.daily.min_items",
        "newsletters.daily.max_age",
        "newsletters.daily.sections[1].x",
        "newsletters.daily.sections[1]",
        "newsletters.daily.sections[2]",
    }


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (
            "max_itmes = 3",
            "newsletters.daily.max_itmes: found an unknown key, expected one of"
            f" {', '.join(key_paths.keys(NewsletterTable))}. Did you mean max_items?",
        ),
        (
            "max_items = 0",
            "newsletters.daily.max_items: found 0, expected a whole number from 1 to 1000.",
        ),
        (
            'max_items = "9"',
            "newsletters.daily.max_items: found '9', expected a whole number from 1 to 1000,"
            " without quotes.",
        ),
        (
            "title = 9",
            "newsletters.daily.title: found 9, expected a text of one line, at most 200 characters,"
            " in quotes.",
        ),
        (
            r'title = "a\nb"',
            r"newsletters.daily.title: found 'a\nb', expected a text of one line, at most 200"
            " characters.",
        ),
        (
            'title = "=?utf-8?q?x=0ABcc=3A_v=40example.com?="',
            "newsletters.daily.title: found '=?utf-8?q?x=0ABcc=3A_v=40example.com?=', expected a"
            " text as people read it, not an encoded word (=?…?=).",
        ),
        (
            "only_sections = 1",
            "newsletters.daily.only_sections: found 1, expected true or false.",
        ),
        (
            'max_age = "-2d"',
            "newsletters.daily.max_age: found '-2d', expected a span of time from 1m up, such as"
            " 15m, 2h or 1d.",
        ),
        (
            "max_age = 3",
            "newsletters.daily.max_age: found 3, expected a span of time from 1m up, such as 15m,"
            " 2h or 1d.",
        ),
        (
            'timezone = "CEST"',
            "newsletters.daily.timezone: found 'CEST', expected the name of a time zone, such as"
            " Europe/Paris.",
        ),
        (
            'timezone = "Berlin"',
            "newsletters.daily.timezone: found 'Berlin', expected the name of a time zone, such as"
            " Europe/Paris. Did you mean Europe/Berlin?",
        ),
        (
            'timezone = "../../etc/passwd"',
            "newsletters.daily.timezone: found '../../etc/passwd', expected the name of a time"
            " zone, such as Europe/Paris.",
        ),
        (
            'language = "english"',
            "newsletters.daily.language: found 'english', expected a language tag such as en or"
            " pt-BR, with words (there are ar, de, en, fr).",
        ),
        (
            'bounce_address = "newsletter-returns-box@example.com"',
            "newsletters.daily.bounce_address: found 'newsletter-returns-box@example.com', expected"
            " an e-mail address with at most 20 characters before the @.",
        ),
        (
            'reply_to = "editors at example.com"',
            "newsletters.daily.reply_to: found 'editors at example.com', expected an e-mail address"
            " such as news@example.com.",
        ),
        (
            'sender_name = "x"',
            "newsletters.daily.from: found sender_name, too, expected either from, or sender_name"
            " and sender_address.",
        ),
        (
            "sections = 4",
            "newsletters.daily.sections: found 4, expected a list such as"
            ' ["Town", { title = "Sport", max_items = 5 }].',
        ),
        (
            'sections = [{ title = "a", match = [] }]',
            "newsletters.daily.sections[0].match: found a list of 0, expected a list of names such"
            ' as ["Town"].',
        ),
        (
            "[smtp]\nmax_items = 1",
            "smtp.max_items: found an unknown key, expected one of"
            f" {', '.join(key_paths.keys(SmtpTable))}.",
        ),
        (
            '[database]\nhost = "x"',
            "database.host: found an unknown key, expected one of path, retention. Did you"
            " mean smtp.host?",
        ),
        (
            '[smtp]\nsecurity = "ssl"',
            "smtp.security: found 'ssl', expected none, starttls or tls.",
        ),
        (
            '[smtp]\nhost = "smtp://mail.example.com"',
            "smtp.host: found 'smtp://mail.example.com', expected a name or address such as"
            " mail.example.com, without scheme and port.",
        ),
        (
            '[smtp]\nhost = "mail.example.com:587"',
            "smtp.host: found 'mail.example.com:587', expected a name or address such as"
            " mail.example.com, without scheme and port.",
        ),
        ("[[smtp]]\nport = 3", "smtp: found a list of 1, expected a table [smtp]."),
        (
            f"[smtp]\nport = 0x{'f' * 6000}",
            "smtp.port: found an enormous number, expected a whole number from 1 to 65535.",
        ),
        (
            '[[sources]]\npath = "a.csv"',
            "sources[0].name: found nothing, expected a text of one line, at most 200 characters.",
        ),
        (
            '[[sources]]\nname = "a"',
            "sources[0]: found neither url nor path, expected exactly one of them.",
        ),
        (
            '[[sources]]\nname = "a"\npath = "a.db"',
            "sources[0].table: found nothing, expected the table or view that holds the articles.",
        ),
        (
            '[[sources]]\nname = "a"\npath = "a.json"\ndelimiter = ";"',
            "sources[0].delimiter: found delimiter for kind 'json', expected delimiter only for"
            " kind csv.",
        ),
        (
            '[[sources]]\nname = "a"\npath = "a.csv"\nencoding = "utf-9"',
            "sources[0].encoding: found 'utf-9', expected the name of a text encoding such as utf-8"
            " or cp1252.",
        ),
        (
            '[[sources]]\nname = "a"\npath = "a.csv"\nencoding = "base64"',
            "sources[0].encoding: found 'base64', expected the name of a text encoding such as"
            " utf-8 or cp1252.",
        ),
    ],
)
def test_a_problem_says_where_what_and_what_instead(
    addition: str, told: str, problems: Problems, minimal: str
) -> None:
    assert [str(problem) for problem in problems(minimal + addition).values()] == [told]


def test_a_configuration_without_newsletters_is_no_use(problems: Problems) -> None:
    found = problems('[site]\nname = "x"\nurl = "https://example.com"\n')
    assert str(found["newsletters"]).endswith("expected at least one table [newsletters.KEY].")


def test_an_empty_file_is_told_what_it_needs(problems: Problems) -> None:
    assert set(problems("")) == {"site.name", "site.url", "newsletters"}


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("[site]\nname = Example\n", "line 2, column 8", "name = Example"),
        ("[site\n", "line 1, column 6", "[site"),
        ('[site]\nname = "x"\nname = "y"\n', "line 3, column 11", 'name = "y"'),
        ('a = "' + "x" * 100, "line 1, column 106", f'a = "{"x" * 25}…{"x" * 30}'),
    ],
)
def test_what_is_not_toml_is_shown_with_its_line(
    text: str, place: str, found: str, loaded: Load
) -> None:
    with pytest.raises(ConfigError, match="is not TOML") as caught:
        loaded(text)
    [problem] = caught.value.problems
    assert (problem.path, problem.found) == (place, found)


def test_a_broken_line_is_not_shown_when_it_may_hold_a_password(loaded: Load) -> None:
    for text in (
        'password = "hunter2\n',
        'a = """\nhunter2 \\q\n"""',
        "smtp = {password='hunter2'",
    ):
        with pytest.raises(ConfigError) as caught:
            loaded(text)
        assert "hunter2" not in repr([str(problem) for problem in caught.value.problems])


def test_a_file_nested_a_thousandfold_is_refused(loaded: Load) -> None:
    with pytest.raises(ConfigError, match=r"nested too deeply|is not TOML"):
        loaded("a = " + "[" * 5000 + "]" * 5000)


@pytest.mark.parametrize(
    "login", ["ghp_SECRET", "ana:SECRET", "ana:x/SECRET", "ana:x@SECRET", ":SECRET"]
)
def test_a_login_in_an_address_is_not_shown(login: str, problems: Problems, minimal: str) -> None:
    source = f'[[sources]]\nname = "a"\nurl = "ftp://{login}@example.com/feed"'
    found = problems(minimal + source)["sources[0].url"].found
    assert "SECRET" not in found
    assert "***@example.com" in found


def test_a_key_that_is_wrong_by_itself_is_told_once(problems: Problems, minimal: str) -> None:
    servers = '[smtp]\nusername = 5\npassword = "x"\n[[relays]]\nname = "a"\nhost = 4\nauth = "x"\n'
    sources = (
        '[[sources]]\nname = 3\nurl = "x"\n[[sources]]\nname = "a"\npath = "a.csv"\nkind = 4\n'
    )
    found = problems(
        f'{minimal}sections = [{{ title = "Town", match = 3 }}, "Town"]\nmin_items = "x"\n'
        f"{servers}{sources}"
    )
    assert set(found) == {
        "newsletters.daily.sections[0].match",
        "newsletters.daily.min_items",
        "smtp",
        "smtp.username",
        "relays[0].host",
        "relays[0].auth",
        "sources[0].name",
        "sources[0].url",
        "sources[1].kind",
    }
