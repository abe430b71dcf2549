"""Write docs/reference/: the configuration from its schema, the commands from their help.

python tools/reference.py            write the pages
python tools/reference.py --check    only say whether they are current (exit code 1 if not)
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, is_dataclass
from datetime import timedelta
from enum import Enum
from inspect import cleandoc, getsource
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

from typer.main import get_command

from digest.cli.app import LazyCommand, app
from digest.config import key_paths, schema, settings
from digest.config.environment import variable
from digest.config.starter import quoted
from digest.lib.durations import format_duration

FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference"

_NOTICE: Final = "<!-- Written by tools/reference.py; change the {source}, not this page. -->"

_CONFIGURATION: Final = """\
# Configuration

`digest.toml` is TOML. Relative paths start at its folder. Every problem in it is reported at once,
with the path of the key, what was found and what was expected; `digest check` tries out the rest.

The environment goes before the file: the name in the column *Environment* stands for the key. Two
underscores separate the steps, `-` and `.` become `_`, and case does not matter. `0` is the first
of a list (the next free number adds an item), `DAILY` a newsletter that the file has. A list is
given as JSON or TOML. A name without two underscores is no configuration.

A span of time is a number of seconds, or a text with units: `90s`, `15m`, `36h`, `2d`, `1w`,
`1d 12h`.
"""

#: The tables in the order of the page: heading, schema, and where it stands for the environment.
_TABLES: Final[tuple[tuple[str, type, key_paths.Path], ...]] = (
    ("[site]", schema.SiteTable, ("site",)),
    ("[database]", schema.DatabaseTable, ("database",)),
    ("[smtp]", schema.SmtpTable, ("smtp",)),
    ("[smtp.messages_per_window]", settings.Quota, ("smtp", "messages_per_window")),
    ("[[relays]]", schema.RelayTable, ("relays", 0)),
    ('[domains."example.com"]', settings.DomainLimits, ("domains", "example.com")),
    ("[dkim]", settings.DkimSettings, ("dkim",)),
    ("[service]", settings.ServiceSettings, ("service",)),
    ("[[sources]]", schema.SourceTable, ("sources", 0)),
    ("[sources.columns]", schema.ColumnsTable, ("sources", 0, "columns")),
    ("[newsletters.KEY]", schema.NewsletterTable, ("newsletters", "daily")),
    (
        "[[newsletters.KEY.sections]]",
        schema.SectionTable,
        ("newsletters", "daily", "sections", 0),
    ),
)


def configuration() -> str:
    """The page about digest.toml."""
    parts = [_NOTICE.format(source="tables in digest/config/"), "", _CONFIGURATION]
    for heading, table, path in _TABLES:
        parts += [f"## `{heading}`", "", cleandoc(table.__doc__ or ""), ""]
        parts += ["| key | what | default | meaning | environment |", "|---|---|---|---|---|"]
        described = descriptions(table)
        parts += [
            _row(key, field, path, described[field.name])
            for key, field in key_paths.keys(table).items()
        ]
        parts.append("")
    return "\n".join(parts)


def descriptions(table: type) -> dict[str, str]:
    """What each field of a table is for: the string that follows it in the source."""
    found: dict[str, str] = {}
    for part in reversed(table.__mro__[:-1]):
        [parsed] = ast.parse(getsource(part)).body
        for field, text in pairwise(getattr(parsed, "body", ())):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                found[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    return found


def _row(key: str, field: Field[Any], path: key_paths.Path, description: str) -> str:
    # A table has no variable: its keys have them.
    holds_table = key_paths.is_table(field.type)
    columns = (
        f"`{key}`",
        key_paths.field_type(field.type).words.replace("<", "\\<"),
        _default(field),
        description,
        "" if holds_table else f"`{variable((*path, key))}`",
    )
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in columns)} |"


def _default(field: Field[Any]) -> str:
    if key_paths.is_required(field):
        return "*required*"
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if value in (None, "", ()) or is_dataclass(value):
        return ""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case float():  # of all keys, only spans of time in seconds have such a default
            return f"`{quoted(format_duration(timedelta(seconds=value)))}`"
        case timedelta():
            return f"`{quoted(format_duration(value))}`"
        case ZoneInfo() | str() | Path():
            return f"`{quoted(str(value))}`"
        case _:
            return f"`{value}`"


def commands() -> str:
    """The page about the commands."""
    root: Any = get_command(app)
    parts = [_NOTICE.format(source="help in digest/cli/"), "", "# Commands", ""]
    parts += [
        "Results are on standard output, messages and progress on standard error. Exit codes: 0"
        " done, 1 error,\n2 wrong usage or configuration, 3 skipped (nothing due or too few"
        " articles), 4 held for a decision,\n5 incomplete (deliveries deferred, unknown or rejected"
        " remain).",
        "",
    ]
    parts += _command(root, "digest", level=2)
    for name, command in _below(root, "digest"):
        parts += _command(command, name, level=2 + name.count(" ") - 1)
    return "\n".join(parts)


def _below(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if isinstance(command, LazyCommand):
            command = command.load()
        if not command.hidden:
            yield f"{prefix} {name}", command
            yield from _below(command, f"{prefix} {name}")


def _command(command: Any, name: str, level: int) -> list[str]:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    options = [p for p in shown if p.param_type_name == "option"]
    usage = [name, "[OPTIONS]" if options else "", *(_argument(p) for p in arguments)]
    usage.append("COMMAND …" if hasattr(command, "commands") else "")
    parts = [f"{'#' * level} `{name}`", "", (command.help or "").strip(), ""]
    parts += ["```", " ".join(filter(None, usage)), "```", ""]
    if shown:
        parts += ["| | default | meaning |", "|---|---|---|"]
        parts += [_parameter(parameter) for parameter in arguments + options]
        parts.append("")
    return parts


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name += "…" if parameter.nargs == -1 else ""
    return name if parameter.required else f"[{name}]"


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{_argument(parameter)}`"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    meaning = (parameter.help or "").replace("\n", " ").replace("|", "\\|")
    choices = _choices(parameter)
    return f"| {name} | {_shown_default(parameter)} | {meaning}{choices} |"


def _choices(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, Enum):
            return f" One of {', '.join(f'`{choice.value}`' for choice in part)}."
    return ""


def _shown_default(parameter: Any) -> str:
    default = parameter.default
    if default in (None, "") or callable(default) or isinstance(default, bool | list | tuple):
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"


PAGES: Final = {"configuration.md": configuration, "commands.md": commands}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    stale = []
    for name, write in PAGES.items():
        file, text = FOLDER / name, write()
        if "--check" not in arguments:
            FOLDER.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
    for name in stale:
        print(f"docs/reference/{name} is not current: run python tools/reference.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
