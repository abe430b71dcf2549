import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.config.load import Loaded
from digest.errors import ConfigError, Problem

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]

# Named, so that the source lines of a traceback do not hold them.
SECRET = "hunter2"
NUMBER = "12345678"

LOGIN = '[smtp]\nhost = "mail.example.com"\nusername = "news"\n'


def test_the_environment_goes_before_a_file(loaded: Load, minimal: str) -> None:
    text = f'{minimal}{LOGIN}password_file = "not there"'
    found = loaded(text, {"DIGEST_SMTP__PASSWORD": "sesame"})
    assert found.settings.smtp.password == "sesame"
    assert found.password.origin == "DIGEST_SMTP__PASSWORD"


def test_a_file_holds_the_password_and_a_line_end(
    tmp_path: Path, loaded: Load, minimal: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\r\n")
    secret.chmod(0o600)

    found = loaded(f'{minimal}{LOGIN}password_file = "secret"')

    assert found.settings.smtp.password == "sesame"
    assert (found.password.origin, found.password.warning) == (str(secret), None)


def test_a_password_that_everybody_can_read_is_worth_a_warning(
    tmp_path: Path, loaded: Load, minimal: str
) -> None:
    (tmp_path / "secret").write_text("sesame")
    (tmp_path / "secret").chmod(0o644)
    password = loaded(f'{minimal}{LOGIN}password_file = "secret"').password
    assert password.warning == "every account on this machine can read it"


def test_a_password_in_the_configuration_works_and_is_worth_a_warning(
    loaded: Load, minimal: str
) -> None:
    found = loaded(f'{minimal}{LOGIN}password = "sesame"')
    assert found.settings.smtp.password == "sesame"
    assert "digest.toml" in (found.password.warning or "")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b"one\ntwo", "holds more than one line"),
        (b"\xff\xfe", "which is not UTF-8"),
        (b"x" * 5000, "holds more than one line"),
    ],
)
def test_a_password_file_that_cannot_serve_is_a_problem(
    content: bytes | None, fault: str, tmp_path: Path, problems: Problems, minimal: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    found = problems(f'{minimal}{LOGIN}password_file = "secret"')
    assert fault in found["smtp.password_file"].found


def test_a_folder_in_place_of_the_password_file_is_a_problem(
    tmp_path: Path, problems: Problems, minimal: str
) -> None:
    (tmp_path / "secret").mkdir()
    found = problems(f'{minimal}{LOGIN}password_file = "secret"')
    assert "Is a directory" in found["smtp.password_file"].found


def test_an_endless_password_file_is_not_read_to_its_end(problems: Problems, minimal: str) -> None:
    found = problems(f'{minimal}{LOGIN}password_file = "/dev/zero"')
    assert "smtp.password_file" in found


def test_a_password_never_crosses_the_net_in_the_open(
    loaded: Load, problems: Problems, minimal: str
) -> None:
    login = 'security = "none"\nusername = "news"\npassword = "sesame"'
    assert "smtp.security" in problems(f'{minimal}[smtp]\nhost = "mail.example.com"\n{login}')
    assert loaded(f'{minimal}[smtp]\nhost = "127.0.0.2"\n{login}').settings.smtp.password


def test_a_password_without_an_account_is_a_problem(problems: Problems, minimal: str) -> None:
    assert "smtp.username" in problems(minimal, {"DIGEST_SMTP__PASSWORD": "sesame"})


def test_two_passwords_are_one_too_many(problems: Problems, minimal: str) -> None:
    found = problems(f'{minimal}{LOGIN}password = "sesame"\npassword_file = "secret"')
    assert "smtp.password_file" in found


@pytest.mark.parametrize(
    "text",
    [
        f'[smtp]\npassword = {NUMBER}\nusername = "x"',
        f'[smtp]\npasswort = "{SECRET}"',
        f'[[smtp]]\npassword = "{SECRET}"',
        f'smtp = "{SECRET}:password"',
        f'[smtp]\npassword = ["{SECRET}"]\nusername = "x"',
        f'[[sources]]\nname = "a"\nurl = "ftp://user:{SECRET}@example.com/"',
        f'[[sources]]\nname = "a"\nurl = "user:{SECRET}@example.com"',
        f'[smtp]\nport = 0\nhost = "mail.example.com"\nsecurity = "none"\npassword = "{SECRET}"',
    ],
)
def test_no_problem_repeats_a_password(text: str, loaded: Load, minimal: str) -> None:
    text = f"{text}\n{minimal}" if text.startswith("smtp =") else f"{minimal}{text}"
    with pytest.raises(ConfigError) as caught:
        loaded(text, {"DIGEST_SMTP__PASWORD": "{SECRET}"})
    told = [str(problem) for problem in caught.value.problems]
    told += traceback.format_exception(caught.value)
    assert SECRET not in "\n".join(told)
    assert NUMBER not in "\n".join(told)


def test_no_repr_shows_the_password(loaded: Load, minimal: str) -> None:
    found = loaded(minimal + LOGIN, {"DIGEST_SMTP__PASSWORD": "sesame"})
    assert "sesame" not in repr(found)
