"""digest.toml and the environment -> settings, with every problem at once.

The file is read and parsed as TOML here, with errors that point at the line; the environment is put
into its tables, and these are checked and become settings in the modules beside this one.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from digest.config import key_paths
from digest.config.build import build_settings
from digest.config.environment import override
from digest.config.passwords import Password, find_password
from digest.config.problems import shortened
from digest.config.schema import File
from digest.config.settings import Settings
from digest.config.tables import check_tables
from digest.errors import ConfigError, Problem
from digest.lib.redact import without_login

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_LARGEST: Final = 1_000_000


def read_toml(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no configuration at {path}",
            hint="`digest init DIR` starts a newsletter; `digest --config FILE …` names a file.",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"the configuration {path} cannot be read: {error.strerror}",
            hint="Name a file that you may read: `digest --config FILE …`.",
        ) from None
    if len(octets) > _LARGEST:
        raise ConfigError(f"{path} is larger than a megabyte: that is no configuration")
    try:
        # Editors on Windows put a mark in front, which TOML does not know.
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: not UTF-8 (the octet 0x{octets[error.start]:02x})",
            hint="Save the file as UTF-8.",
        ) from None


def toml_tables(text: str, path: Path) -> dict[str, Any]:
    """The raw tables. Raises ConfigError with line, column and the line's text."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path} is not TOML: it is nested too deeply") from None
    except ValueError as error:
        raise _not_toml(str(error), text, path) from None


def _not_toml(message: str, text: str, path: Path) -> ConfigError:
    lines = text.split("\n")
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else len(lines)
    column = int(place[2]) if place and place[2] else len(lines[-1]) + 1
    reason = message[: place.start()] if place else message
    return ConfigError(
        f"{path} is not TOML",
        problems=[
            Problem(
                path=f"line {line}, column {column}",
                found=_line_shown(lines, line),
                expected=f"TOML ({reason[:1].lower()}{reason[1:]})",
            )
        ],
        hint="Texts stand in quotes, lists in brackets, each key on a line of its own, and once.",
    )


def _line_shown(lines: list[str], line: int) -> str:
    """The line's text, unless it holds, or may hold, a password."""
    text = lines[line - 1].strip() if line <= len(lines) else ""
    before = "\n".join(lines[:line])
    in_long_text = before.count('"""') % 2 or before.count("'''") % 2
    if in_long_text or re.search(r"pass|secret|token", text, re.IGNORECASE):
        return "a line that is not shown, because it may hold a password"
    return shortened(without_login(text if text.isprintable() else ascii(text))) or "the end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings, and what `digest check` says about them.

    `overrides` maps dotted paths to the variables that their values came from. `passwords` are
    those of `settings.outgoing`, in its order.
    """

    settings: Settings
    overrides: Mapping[str, str]
    passwords: tuple[Password, ...]

    @property
    def password(self) -> Password:
        """The password of the first server, which is often the only one."""
        return self.passwords[0]


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a configuration file, overridden by the environment.

    Paths in it are relative to its folder. Raises ConfigError with every problem.
    """
    return load_with_origins(path, environ).settings


def load_with_origins(path: Path, environ: Mapping[str, str]) -> Loaded:
    """As `load`, and where values came from."""
    return load_text(read_toml(path), path.absolute(), environ)


def load_text(text: str, path: Path, environ: Mapping[str, str]) -> Loaded:
    """As `load_with_origins`, for the text of a file that may not be written yet."""
    folder = path.parent
    overridden = override(toml_tables(text, path), environ)
    raw, origins = overridden.raw, overridden.origins
    # Where it is missing as a whole, its required keys are what the owner should read about.
    raw.setdefault("site", {})
    checked = check_tables(raw, folder, origins)
    smtp, relays = _passwords(checked.file, origins, folder)
    problems = [*overridden.problems, *checked.problems]
    problems += [problem for password in (smtp, *relays) for problem in password.problems]
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{path} has {count}", problems=problems)
    return Loaded(
        settings=build_settings(checked.file, folder, smtp, relays),
        overrides={key_paths.dotted(where): name for where, name in origins.items()},
        passwords=relays or (smtp,),
    )


def _passwords(
    file: File, origins: key_paths.Origins, folder: Path
) -> tuple[Password, tuple[Password, ...]]:
    """Of [smtp], and of each of [[relays]]; some of their values may be wrong and unset."""
    smtp = find_password(getattr(file, "smtp", None), ("smtp",), origins, folder)
    relays = enumerate(getattr(file, "relays", ()))
    return smtp, tuple(
        find_password(relay, ("relays", place), origins, folder) for place, relay in relays
    )
