"""The table [dkim], and the names of DNS in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digest.config import DkimSettings
from digest.config.load import Loaded
from digest.config.validators import aligned
from digest.errors import Problem

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

TABLE = '[dkim]\nselector = "s1"\nkey_file = "dkim.pem"\n'


def test_without_the_table_nothing_is_signed(loaded: Load, minimal: str) -> None:
    assert loaded(minimal).settings.dkim is None


def test_every_key_arrives_where_it_is_meant(tmp_path: Path, loaded: Load, minimal: str) -> None:
    text = (
        f'{minimal}{TABLE}domain = "Straße.Example."\ned25519_selector = "a.b"\n'
        'ed25519_key_file = "/etc/keys/second.pem"\nnameserver = "[2001:db8::53]:5353"'
    )
    assert loaded(text).settings.dkim == DkimSettings(
        selector="s1",
        key_file=tmp_path / "dkim.pem",
        domain="xn--strae-oqa.example",
        ed25519_selector="a.b",
        ed25519_key_file=Path("/etc/keys/second.pem"),
        nameserver=("2001:db8::53", 5353),
    )


def test_the_environment_can_give_the_whole_table(loaded: Load, minimal: str) -> None:
    environ = {"DIGEST_DKIM__SELECTOR": "s1", "DIGEST_DKIM__KEY_FILE": "/run/secrets/dkim.pem"}
    assert loaded(minimal, environ).settings.dkim == DkimSettings(
        selector="s1", key_file=Path("/run/secrets/dkim.pem")
    )


def test_a_selector_and_a_key_are_required(problems: Problems, minimal: str) -> None:
    assert problems(f"{minimal}[dkim]\n").keys() == {"dkim.selector", "dkim.key_file"}


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ('ed25519_selector = "e1"', "dkim.ed25519_key_file"),
        ('ed25519_key_file = "e1.pem"', "dkim.ed25519_selector"),
        ('ed25519_selector = "S1"\ned25519_key_file = "e1.pem"', "dkim.ed25519_selector"),
        ('domain = "example..com"', "dkim.domain"),
        ('domain = "https://example.com"', "dkim.domain"),
        ('domain = "-"', "dkim.domain"),
        ('domain = "a b.example"', "dkim.domain"),
        (f'domain = "{"a" * 64}.example"', "dkim.domain"),
        (f'domain = "{"a." * 130}example"', "dkim.domain"),
        ('domain = "☃☃.example\\u0000"', "dkim.domain"),
        ('nameserver = "dns.example.com"', "dkim.nameserver"),
        ('nameserver = "192.0.2.53:0"', "dkim.nameserver"),
        ('nameserver = "192.0.2.53:65536"', "dkim.nameserver"),
        ('nameserver = "192.0.2.53:"', "dkim.nameserver"),
        ('nameserver = ""', "dkim.nameserver"),
        ('selecter = "s1"', "dkim.selecter"),
    ],
)
def test_what_is_wrong_is_told(line: str, path: str, problems: Problems, minimal: str) -> None:
    assert problems(f"{minimal}{TABLE}{line}").keys() == {path}


@pytest.mark.parametrize("selector", ["s1; x", "s1.", "a b", "", "s1\\n", "ž"])
def test_a_selector_is_a_name_of_dns(selector: str, problems: Problems, minimal: str) -> None:
    text = TABLE.replace("s1", selector)
    assert problems(f"{minimal}{text}").keys() == {"dkim.selector"}


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
    ],
)
def test_a_nameserver_is_an_address_and_perhaps_a_port(
    text: str, server: tuple[str, int], loaded: Load, minimal: str
) -> None:
    dkim = loaded(f'{minimal}{TABLE}nameserver = "{text}"').settings.dkim
    assert dkim is not None
    assert dkim.nameserver == server


@pytest.mark.parametrize(
    ("signing", "sender", "expected"),
    [
        ("example.com", "example.com", True),
        ("Example.com", "news.example.com", True),
        ("mail.example.com", "example.com", True),
        ("a.example.com", "b.example.com", False),
        ("ample.com", "example.com", False),
        ("com", "example.com", False),
        ("example.net", "example.com", False),
        ("localhost", "localhost", True),
    ],
)
def test_a_domain_speaks_for_itself_and_for_those_below_it(
    signing: str, sender: str, expected: bool
) -> None:
    assert aligned(signing, sender) is expected
