"""What `--help` prints: plain text, no wider than the terminal, and quick to make.

The docstrings of commands are written for two places: the reference page, which is Markdown, and
the terminal, where the marks are left out. A paragraph that begins with `Example:` is a command to
copy.
"""

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

_WIDEST: Final = 100
_MARKS: Final = re.compile(r"`|\*\*")
_EXAMPLE: Final = "Example:"

#: So wide may the names of options be; a longer one has a line of its own.
_NAMES: Final = 30

_VALUES: Final[dict[object, str]] = {str: "TEXT", int: "N", Path: "FILE"}


class Command(TyperCommand):
    """A command whose help is in the house style."""

    def get_help(self, ctx: Any) -> str:
        """The text of `--help`."""
        return _help_of(self, ctx)


class Group(TyperGroup):
    """A group of commands whose help is in the house style."""

    def get_help(self, ctx: Any) -> str:
        """The text of `--help`."""
        return _help_of(self, ctx)


def _help_of(command: Any, context: Any) -> str:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    parameters = [one for one in command.get_params(context) if not one.hidden]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    below = getattr(command, "commands", {}).items()
    usage = [context.command_path, "[OPTIONS]", *map(_argument, arguments)]
    blocks = [
        " ".join(["Usage:", *usage, *(["COMMAND …"] if below else [])]),
        *_paragraphs(command.help or "", width),
        _list("Arguments", ((_argument(one), _meaning(one)) for one in arguments), width),
        _list("Options", ((_option(one), _meaning(one)) for one in options), width),
        _list("Commands", ((name, _summary(one)) for name, one in below), width),
    ]
    return "\n\n".join(filter(None, blocks))


def _paragraphs(text: str, width: int) -> Iterator[str]:
    for paragraph in _plain(inspect.cleandoc(text)).split("\n\n"):
        line = " ".join(paragraph.split())
        if line.startswith(_EXAMPLE):
            # In one piece: a command that is folded cannot be copied.
            yield f"{_EXAMPLE}\n  {line.removeprefix(_EXAMPLE).strip()}"
        else:
            yield textwrap.fill(line, width)


def _summary(command: Any) -> str:
    return _plain(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _plain(text: str) -> str:
    return _MARKS.sub("", text)


def _list(heading: str, rows: Iterable[tuple[str, str]], width: int) -> str:
    rows = list(rows)
    if not rows:
        return ""
    names = min(max(len(name) for name, _ in rows), _NAMES)
    indent = " " * (names + 4)
    lines = [f"{heading}:"]
    for name, meaning in rows:
        told = textwrap.wrap(" ".join(meaning.split()), max(width - len(indent), 30))
        if len(name) > names:
            lines.append(f"  {name}")
            name = ""
        lines.append(f"  {name:{names}}  {told[0] if told else ''}".rstrip())
        lines += [indent + line for line in told[1:]]
    return "\n".join(lines)


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()) + ("…" if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    names = ", ".join(sorted(parameter.opts, key=len))
    # Options without a short name stand under the long names of the others.
    indent = "    " if names.startswith("--") else ""
    return f"{indent}{names} {_value(parameter)}".rstrip()


def _value(parameter: Any) -> str:
    descriptor = parameter.type_descriptor
    if parameter.is_flag:
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    if descriptor.is_choice:
        return "|".join(choice.value for choice in descriptor.choices)
    return _VALUES.get(descriptor.annotation, "TEXT")


def _meaning(parameter: Any) -> str:
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    shown = parameter.show_default and default not in (None, "")
    if not shown or isinstance(default, bool | list | tuple) or callable(default):
        return _plain(parameter.help or "")
    return f"{_plain(parameter.help or '')} (default: {default})"
