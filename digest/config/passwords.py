"""The password: from the environment, from a file, or from digest.toml itself; never shown.

Paths of files as digest.toml gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from digest.config import key_paths
from digest.config.problems import origin_of, shown
from digest.errors import Problem


def absolute(path: str, folder: Path) -> Path:
    """The path as seen from the folder of digest.toml; `~` is the home folder."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # there is no such home
        return folder / path


_LARGEST: Final = 4096
_READABLE_BY_ALL: Final = 0o004


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """The password of a server to log in with, None without one.

    `path` is where the server is configured (`smtp`), `origin` says where the password came from,
    and `warning` what is unwise about that place. `file` is set where it came from a file.
    """

    path: str = "smtp"
    value: str | None = field(default=None, repr=False)
    file: Path | None = None
    origin: str = ""
    warning: str | None = None
    problems: tuple[Problem, ...] = ()


def find_password(
    raw: Mapping[str, Any], at: key_paths.Path, origins: Mapping[key_paths.Path, str], folder: Path
) -> Password:
    """The password of the server at this place that counts.

    The environment goes before a file, and both before digest.toml.
    """
    where = key_paths.dotted(at)
    inline, file = raw.get("password"), raw.get("password_file")
    variable = origin_of((*at, "password"), origins)
    if isinstance(inline, str) and inline and variable:
        return Password(path=where, value=inline, origin=variable)
    if isinstance(file, str) and file.strip() and "\0" not in file and not inline:
        named = shown(file)
        if by := origin_of((*at, "password_file"), origins):
            named += f" in {by}"
        return _read(where, named, absolute(file, folder))
    if isinstance(inline, str) and inline:
        return Password(
            path=where,
            value=inline,
            origin="digest.toml",
            warning="it stands in digest.toml: whoever reads or backs up that file has it",
        )
    return Password(path=where)


def _read(where: str, named: str, path: Path) -> Password:
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
        mode = path.stat().st_mode
        text = octets.decode().strip()
    except OSError as error:
        return _refused(where, f"{named}: {error.strerror}")
    except UnicodeDecodeError:
        return _refused(where, f"{named}, which is not UTF-8")
    if not text or len(octets) > _LARGEST or "\n" in text or "\0" in text:
        fault = "is empty" if not text else "holds more than one line"
        return _refused(where, f"{named}, which {fault}")
    unwise = "every account on this machine can read it" if mode & _READABLE_BY_ALL else None
    return Password(path=where, value=text, file=path, origin=str(path), warning=unwise)


def _refused(where: str, found: str) -> Password:
    problem = Problem(
        path=f"{where}.password_file",
        found=found,
        expected="a file that you may read, with the password and nothing else",
    )
    return Password(path=where, problems=(problem,))
