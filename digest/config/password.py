"""The password: from the environment, from a file, or from digest.toml itself; never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from digest.config import shape
from digest.config.build import absolute
from digest.config.problems import origin_of, shown
from digest.errors import Problem

_LARGEST: Final = 4096
_READABLE_BY_ALL: Final = 0o004


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """The password to log in with, None without one.

    `origin` says where it came from, `warning` what is unwise about that place.
    """

    value: str | None = field(default=None, repr=False)
    origin: str = ""
    warning: str | None = None
    problems: tuple[Problem, ...] = ()


def find_password(
    smtp: Mapping[str, Any], origins: Mapping[shape.Path, str], folder: Path
) -> Password:
    """The password that counts: the environment goes before a file, and both before digest.toml."""
    inline, file = smtp.get("password"), smtp.get("password_file")
    variable = origin_of(("smtp", "password"), origins)
    if isinstance(inline, str) and inline and variable:
        return Password(value=inline, origin=variable)
    if isinstance(file, str) and file.strip() and "\0" not in file and not inline:
        return _read(file, absolute(file, folder), origin_of(("smtp", "password_file"), origins))
    if isinstance(inline, str) and inline:
        return Password(
            value=inline,
            origin="digest.toml",
            warning="it stands in digest.toml: whoever reads or backs up that file has it",
        )
    return Password()


def _read(name: str, path: Path, variable: str | None) -> Password:
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
        mode = path.stat().st_mode
        text = octets.decode().strip()
    except OSError as error:
        return _refused(f"{shown(name)}: {error.strerror}", variable)
    except UnicodeDecodeError:
        return _refused(f"{shown(name)}, which is not UTF-8", variable)
    if not text or len(octets) > _LARGEST or "\n" in text or "\0" in text:
        fault = "is empty" if not text else "holds more than one line"
        return _refused(f"{shown(name)}, which {fault}", variable)
    unwise = "every account on this machine can read it" if mode & _READABLE_BY_ALL else None
    return Password(value=text, origin=str(path), warning=unwise)


def _refused(found: str, variable: str | None) -> Password:
    problem = Problem(
        path="smtp.password_file",
        found=f"{found} in {variable}" if variable else found,
        expected="a file that you may read, with the password and nothing else",
    )
    return Password(problems=(problem,))
