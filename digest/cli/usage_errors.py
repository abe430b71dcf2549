"""What Typer says about a command line that makes no sense, in the words of this program."""

import re
from typing import Any

from digest.errors import UsageError
from digest.lib.text import nearest

#: These belong to `digest` itself, before the command.
_OF_THE_ROOT = ("--config", "-c", "--debug", "--version")


def in_our_words(error: Any) -> UsageError:
    """The UsageError that says what an exception of Typer says."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "digest"
    hint = f"`{path} --help` shows how it is called."
    match type(error).__name__:
        case "NoSuchOption":
            return _no_such_option(error, hint)
        case "MissingParameter":
            return UsageError(f"{_name(error.param)} is missing", hint=hint)
        case "BadParameter" if error.param is not None:
            return UsageError(f"{_name(error.param)}: {_complaint(error)}", hint=hint)
        case "BadOptionUsage" if error.message.endswith("requires an argument."):
            return UsageError(f"{error.option_name} needs a value after it", hint=hint)
    return UsageError(_rephrased(error.format_message()), hint=hint)


def _no_such_option(error: Any, hint: str) -> UsageError:
    option = error.option_name
    if option in _OF_THE_ROOT:
        word = "FILE " if option in ("--config", "-c") else ""
        hint = f"It goes before the command: `digest {option} {word}…`"
    elif suggestion := nearest(option, error.possibilities or ()):
        hint = f"Did you mean {suggestion}? {hint}"
    return UsageError(f"there is no option {option} here", hint=hint)


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return str(max(parameter.opts, key=len))


def _complaint(error: Any) -> str:
    """What was found and what was expected, from the error of Pydantic that is behind it."""
    choices = error.param.type_descriptor.choices
    try:
        told = error.__cause__.errors()[0]
    except (AttributeError, IndexError):
        return _rephrased(error.message)
    limits = told.get("ctx") or {}
    if choices:
        expected = f"one of {', '.join(choice.value for choice in choices)}"
    elif "ge" in limits:
        expected = f"at least {limits['ge']:,}"
    elif "le" in limits:
        expected = f"at most {limits['le']:,}"
    elif told["type"].startswith("int_"):
        expected = "a whole number"
    else:
        expected = told["msg"]
    return f"found {told['input']!r}, expected {expected}"


def _rephrased(message: str) -> str:
    if found := re.fullmatch(r"Got unexpected extra argument\(s\) \((.*)\)", message, re.DOTALL):
        return f"too many arguments: {found[1]}"
    if found := re.fullmatch(r"No such command '(.*?)'\.?( Did you mean .*)?", message, re.DOTALL):
        return f"there is no command {found[1]}." + (found[2] or "").replace("'", "")
    if message == "Missing command.":
        return "which command?"
    return message[:1].lower() + message[1:].rstrip(".")
