"""What `--help` prints: plain text, no wider than the terminal, and fast.

The docstrings of commands serve two places: the reference page, which is Markdown, and the
terminal, where Markdown's marks are removed. A paragraph that begins with `Example:` is a command
to copy.
"""

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

_WIDEST: Final = 100
_MARKS: Final = re.compile(r"`|\*\*")
_EXAMPLE: Final = "Example:"

#: The widest column of names; a longer name has a line of its own.
_WIDEST_NAME: Final = 30

_VALUES: Final[dict[object, str]] = {str: "TEXT", int: "N", Path: "FILE"}


class Command(TyperCommand):
    """A command whose help this module formats."""

    def get_help(self, ctx: Any) -> str:
        """The text of `--help`."""
        return _help_of(self, ctx)


class Group(TyperGroup):
    """A group of commands whose help this module formats."""

    def get_help(self, ctx: Any) -> str:
        """The text of `--help`."""
        return _help_of(self, ctx)


def command_group(name: str, summary: str, *, example: str) -> typer.Typer:
    """A group of commands; alone, it prints its help."""
    return typer.Typer(
        name=name,
        cls=Group,
        help=f"{summary}\n\n{_EXAMPLE} `{example}`",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
    )


def _help_of(command: Any, context: Any) -> str:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    parameters = [each for each in command.get_params(context) if not each.hidden]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    subcommands = getattr(command, "commands", {}).items()
    usage = [context.command_path, "[OPTIONS]", *map(_argument, arguments)]
    blocks = [
        " ".join(["Usage:", *usage, *(["COMMAND …"] if subcommands else [])]),
        *_paragraphs(command.help or "", width),
        _list("Arguments", ((_argument(each), _meaning(each)) for each in arguments), width),
        _list("Options", ((_option(each), _meaning(each)) for each in options), width),
        _list("Commands", ((name, _summary(each)) for name, each in subcommands), width),
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
    names = min(max(len(name) for name, _ in rows), _WIDEST_NAME)
    indent = " " * (names + 4)
    lines = [f"{heading}:"]
    for name, meaning in rows:
        wrapped = textwrap.wrap(" ".join(meaning.split()), max(width - len(indent), 30))
        if len(name) > names:
            lines.append(f"  {name}")
            name = ""
        lines.append(f"  {name:{names}}  {wrapped[0] if wrapped else ''}".rstrip())
        lines += [indent + line for line in wrapped[1:]]
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
