"""digest.toml and the environment -> settings, with every problem at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from digest.config import key_paths
from digest.config.build import settings_of
from digest.config.cross_checks import cross_check
from digest.config.environment import override
from digest.config.passwords import Password, find_password
from digest.config.problems import problems_of
from digest.config.reading import read_toml, toml_tables
from digest.config.schema import File
from digest.config.server_checks import table_in
from digest.config.settings import Settings
from digest.errors import ConfigError, Problem


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
    # Missing as a whole, its required keys are what is to be told.
    raw.setdefault("site", {})
    problems = list(overridden.problems)
    file: File | None = None
    try:
        file = File.model_validate(raw, context={"folder": folder})
    except ValidationError as error:
        problems += problems_of(error, origins)
    problems += [problem for problem in cross_check(raw, origins) if _new(problem, problems)]
    smtp, relays = _passwords(raw, origins, folder)
    problems += [problem for found in (smtp, *relays) for problem in found.problems]
    if file is None or problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{path} has {count}", problems=problems) from None
    return Loaded(
        settings=settings_of(file, folder, smtp, relays),
        overrides={key_paths.dotted(where): name for where, name in origins.items()},
        passwords=relays or (smtp,),
    )


def _new(problem: Problem, problems: list[Problem]) -> bool:
    return all(problem.path != known.path for known in problems)


def _passwords(
    raw: Mapping[str, Any], origins: Mapping[key_paths.Path, str], folder: Path
) -> tuple[Password, tuple[Password, ...]]:
    """Of [smtp], and of each of [[relays]]."""
    found = raw.get("relays")
    relays = found if isinstance(found, list) else []
    places = [(table_in(raw, "smtp"), ("smtp",))] + [
        (relay if isinstance(relay, dict) else {}, ("relays", index))
        for index, relay in enumerate(relays)
    ]
    smtp, *others = (find_password(table, at, origins, folder) for table, at in places)
    return smtp, tuple(others)
