"""The password of a server: from the environment, a file, or digest.toml itself; never shown."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from digest.config import key_paths
from digest.config.problems import shown
from digest.config.settings import Security, SmtpSettings
from digest.config.validators import is_loopback
from digest.errors import Problem

_LARGEST: Final = 4096
_READABLE_BY_ALL: Final = 0o004


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """The password of a server to log in with, None without one.

    `path` is where the server is configured (`smtp`), `origin` says where the password came from,
    and `warning` what is unwise about that place. `file` is set where it came from a file.
    """

    path: str
    value: str | None = field(default=None, repr=False)
    file: Path | None = None
    origin: str = ""
    warning: str | None = None
    problems: tuple[Problem, ...] = ()


def find_password(
    server: SmtpSettings | None, at: key_paths.Path, origins: key_paths.Origins, folder: Path
) -> Password:
    """The password that counts for the server at this place, whose values may be wrong or unset.

    The environment goes before a file, and both before digest.toml.
    """
    where = key_paths.dotted(at)
    inline: str | None = getattr(server, "password", None)
    file: Path | None = getattr(server, "password_file", None)
    variable = key_paths.origin_of((*at, "password"), origins)
    problems = tuple(_login_problems(server, where, variable)) if server else ()
    unset = Password(path=where, problems=problems)
    if inline and variable:
        return replace(unset, value=inline, origin=variable)
    if inline:
        warning = "it stands in digest.toml: whoever reads or backs up that file has it"
        return replace(unset, value=inline, origin="digest.toml", warning=warning)
    if not file:
        return unset
    by = key_paths.origin_of((*at, "password_file"), origins)
    named = shown(str(file.relative_to(folder) if file.is_relative_to(folder) else file))
    text, wrong = _read(file)
    if text is None:
        refused = Problem(
            path=f"{where}.password_file",
            found=f"{named} in {by}{wrong}" if by else f"{named}{wrong}",
            expected="a file that you may read, with the password and nothing else",
        )
        return replace(unset, problems=(*problems, refused))
    return replace(unset, value=text, file=file, origin=str(file), warning=wrong or None)


def _read(path: Path) -> tuple[str | None, str]:
    """The password and what is unwise about its file, or None and what is wrong with it."""
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
        mode = path.stat().st_mode
        text = octets.decode().strip()
    except OSError as error:
        return None, f": {error.strerror}"
    except UnicodeDecodeError:
        return None, ", which is not UTF-8"
    if not text:
        return None, ", which is empty"
    if len(octets) > _LARGEST or "\n" in text or "\0" in text:
        return None, ", which holds more than one line"
    return text, "every account on this machine can read it" if mode & _READABLE_BY_ALL else ""


def _login_problems(server: SmtpSettings, where: str, variable: str | None) -> Iterator[Problem]:
    password, file, auth = (
        getattr(server, key, None) for key in ("password", "password_file", "auth")
    )
    if password and file and not variable:
        yield Problem(
            path=f"{where}.password_file",
            found=f"a password in {where}.password, too",
            expected="one of the two",
        )
    if (password or file or auth) and getattr(server, "username", "") is None:
        account = f"the account that {where}.password belongs to"
        yield Problem(
            path=f"{where}.username",
            found="nothing",
            expected=account if password or file else "the account to log in with",
        )
    host, security = getattr(server, "host", "localhost"), getattr(server, "security", None)
    if (password or file) and security is Security.NONE and not is_loopback(host):
        yield Problem(
            path=f"{where}.security",
            found=f"none, with a password, for {shown(host)}",
            expected="starttls or tls, because the password would be sent unencrypted",
        )
