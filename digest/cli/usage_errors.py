"""Typer's errors about a wrong command line, in the wording of this program."""

import re
from typing import Any

from digest.errors import UsageError
from digest.lib.text import nearest

#: Options of `digest` itself, which stand before the command.
_OF_THE_ROOT = ("--config", "-c", "--debug", "--version")


def usage_error(error: Any) -> UsageError:
    """The UsageError for an exception of Typer."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "digest"
    hint = f"`{path} --help` shows the usage."
    match type(error).__name__:
        case "NoSuchOption":
            return _no_such_option(error, hint)
        case "MissingParameter":
            return UsageError(f"{_name(error.param)} is missing", hint=hint)
        case "BadParameter" if error.param is not None:
            return UsageError(f"{_name(error.param)}: {_found_and_expected(error)}", hint=hint)
        case "BadOptionUsage" if error.message.endswith("requires an argument."):
            return UsageError(f"{error.option_name} needs a value after it", hint=hint)
    return UsageError(_rephrased(error.format_message()), hint=hint)


def _no_such_option(error: Any, hint: str) -> UsageError:
    option = error.option_name
    if option in _OF_THE_ROOT:
        word = "FILE " if option in ("--config", "-c") else ""
        hint = f"It goes before the command: `digest {option} {word}…`"
    elif near := nearest(option, error.possibilities or []):
        hint = f"Did you mean {near}? {hint}"
    return UsageError(f"there is no option {option} here", hint=hint)


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _found_and_expected(error: Any) -> str:
    """What was found and what was expected, from the Pydantic error that caused it."""
    choices = error.param.type_descriptor.choices
    try:
        cause = error.__cause__.errors()[0]
    except (AttributeError, IndexError):
        return _rephrased(error.message)
    limits = cause.get("ctx") or {}
    if choices:
        expected = f"one of {', '.join(choice.value for choice in choices)}"
    elif "ge" in limits:
        expected = f"at least {limits['ge']:,}"
    elif "le" in limits:
        expected = f"at most {limits['le']:,}"
    elif cause["type"].startswith("int_"):
        expected = "a whole number"
    else:
        expected = cause["msg"]
    return f"found {cause['input']!r}, expected {expected}"


def _rephrased(message: str) -> str:
    if match := re.fullmatch(r"Got unexpected extra argument\(s\) \((.*)\)", message, re.DOTALL):
        return f"too many arguments: {match[1]}"
    if match := re.fullmatch(r"No such command '(.*?)'\.?( Did you mean .*)?", message, re.DOTALL):
        suggestion = (match[2] or "").replace("'", "")
        return f"there is no command {match[1]}" + (suggestion and f".{suggestion}")
    if message == "Missing command.":
        return "the command is missing"
    return message[:1].lower() + message[1:].rstrip(".")
