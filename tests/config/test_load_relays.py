from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config import DomainLimits, Login, Quota, Security, SmtpSettings
from digest.config.load import Loaded
from digest.errors import Problem

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

LIMITS = """\
auth = "cram-md5"
connections = 8
timeout = "20s"
timeout_after_data = "5m"
messages_per_second = 14
messages_per_window = { messages = 1000, window = "1h" }
messages_per_connection = 100
"""
RELAYS = """\
[smtp]
give_up_after = "36h"
[[relays]]
name = "ours"
host = "mail.example.com"
weight = 3
username = "ada"
password_file = "ours-password"
[[relays]]
name = "theirs"
host = "smtp.example.net"
port = 465
security = "tls"
messages_per_second = 0.5
"""


def test_limits_stand_in_smtp(loaded: Load, minimal: str) -> None:
    settings = loaded(f"{minimal}[smtp]\n{LIMITS}username = 'ada'\npassword = 'secret'").settings

    assert settings.smtp == SmtpSettings(
        host="localhost",
        port=25,
        security=Security.NONE,
        username="ada",
        password="secret",
        auth=Login.CRAM_MD5,
        connections=8,
        timeout=20.0,
        timeout_after_data=300.0,
        messages_per_second=14.0,
        messages_per_window=Quota(messages=1000, window=timedelta(hours=1)),
        messages_per_connection=100,
    )
    assert settings.outgoing == (settings.smtp,)


def test_without_a_word_nothing_is_limited_and_patience_is_long(loaded: Load, minimal: str) -> None:
    settings = loaded(minimal).settings

    assert settings.smtp.messages_per_second is None
    assert settings.smtp.messages_per_window is None
    assert settings.smtp.messages_per_connection is None
    assert settings.smtp.timeout_after_data == 600
    assert settings.give_up_after == timedelta(days=3)
    assert settings.relays == ()
    assert settings.domains == {}


def test_relays_take_the_place_of_smtp(loaded: Load, minimal: str, tmp_path: Path) -> None:
    (tmp_path / "ours-password").write_text("secret\n")
    (tmp_path / "ours-password").chmod(0o600)

    found = loaded(f"{minimal}{RELAYS}")

    ours, theirs = found.settings.outgoing
    assert found.settings.relays == (ours, theirs)
    assert ours == SmtpSettings(
        host="mail.example.com",
        port=587,
        security=Security.STARTTLS,
        username="ada",
        password="secret",
        password_file=tmp_path / "ours-password",
        name="ours",
        weight=3,
    )
    assert (theirs.name, theirs.port, theirs.weight) == ("theirs", 465, 1)
    assert theirs.messages_per_second == 0.5
    assert found.settings.smtp == ours
    assert found.settings.give_up_after == timedelta(hours=36)
    assert [password.path for password in found.passwords] == ["relays[0]", "relays[1]"]


def test_a_relay_takes_its_password_from_the_environment(loaded: Load, minimal: str) -> None:
    relay = '[[relays]]\nname = "ours"\nhost = "mail.example.com"\nusername = "ada"\n'

    found = loaded(
        f"{minimal}{relay}",
        {"DIGEST_RELAYS__0__PASSWORD": "secret", "DIGEST_RELAYS__0__MESSAGES_PER_SECOND": "2.5"},
    )

    assert found.settings.relays[0].password == "secret"
    assert found.settings.relays[0].messages_per_second == 2.5
    assert found.passwords[0].origin == "DIGEST_RELAYS__0__PASSWORD"


def test_domains_are_named_as_mail_names_them(loaded: Load, minimal: str) -> None:
    settings = loaded(
        f'{minimal}[domains."Example.COM"]\nconnections = 2\n'
        '[domains."b\u00fccher.example"]\nmessages_per_second = 5\n',
        {"DIGEST_DOMAINS__EXAMPLE_COM__MESSAGES_PER_SECOND": "1"},
    ).settings

    assert settings.domains == {
        "example.com": DomainLimits(connections=2, messages_per_second=1.0),
        "xn--bcher-kva.example": DomainLimits(messages_per_second=5.0),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[smtp]\nhost = "mail.example.com"\n[[relays]]\nname = "ours"',
            "smtp: found host, beside [[relays]], expected only give_up_after there:"
            " each relay has keys of its own.",
        ),
        (
            '[[relays]]\nhost = "mail.example.com"',
            "relays[0].name: found nothing, expected a text of one line, at most 200 characters.",
        ),
        (
            '[[relays]]\nname = "ours"\n[[relays]]\nname = "Ours"',
            "relays[1].name: found 'Ours', the name of relays[0], expected a name of its own.",
        ),
        (
            '[[relays]]\nname = "ours"\npassword = "hunter2"',
            "relays[0].username: found nothing, expected the account that relays[0].password"
            " belongs to.",
        ),
        (
            '[[relays]]\nname = "ours"\nhost = "mail.example.com"\nusername = "ada"\n'
            'password = "hunter2"\nsecurity = "none"',
            "relays[0].security: found none, with a password, for 'mail.example.com', expected"
            " starttls or tls, because the password would be sent unencrypted.",
        ),
        (
            '[[relays]]\nname = "ours"\nusername = "ada"\npassword_file = "nowhere"',
            "relays[0].password_file: found 'nowhere': No such file or directory, expected a file"
            " that you may read, with the password and nothing else.",
        ),
        (
            '[smtp]\nauth = "xoauth2"',
            "smtp.username: found nothing, expected the account to log in with.",
        ),
        (
            '[smtp]\nusername = "ada"\nauth = "gssapi"',
            "smtp.auth: found 'gssapi', expected plain, login, cram-md5 or xoauth2.",
        ),
        (
            "[smtp]\nmessages_per_second = 0",
            "smtp.messages_per_second: found 0, expected a number above 0 such as 20, or 0.5 for"
            " one in two seconds.",
        ),
        (
            "[smtp]\nmessages_per_window = 1000",
            "smtp.messages_per_window: found 1000, expected a table such as"
            ' { messages = 1000, window = "1h" }.',
        ),
        (
            "[smtp]\nmessages_per_window = { messages = 1000 }",
            "smtp.messages_per_window.window: found nothing, expected a span of time such as 36h,"
            " 2d or 90m, or a number of seconds.",
        ),
        (
            '[domains."not a domain"]\nconnections = 1',
            "domains.'not a domain': found this key, expected a domain, as in"
            ' [domains."example.com"].',
        ),
        (
            '[domains."example.com"]',
            "domains.'example.com': found no limit, expected connections, messages_per_second,"
            " or both.",
        ),
        (
            '[domains."example.com"]\nconnections = 1\n[domains."EXAMPLE.com"]\nconnections = 2',
            "domains.'EXAMPLE.com': found another spelling of domains.'example.com', expected each"
            " key once.",
        ),
    ],
)
def test_a_problem_says_where_it_is(problems: Problems, minimal: str, text: str, told: str) -> None:
    found = [str(problem) for problem in problems(f"{minimal}{text}").values()]

    assert told in found
    assert "hunter2" not in "".join(found)
