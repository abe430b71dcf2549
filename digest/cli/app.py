"""The root command: its options, the commands in the order of the manual, and error reports."""

import os
import select
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand
from typer.main import get_command

from digest import __version__
from digest.cli.console import Exit, error_as_json, note, print_error, print_json
from digest.cli.help import Command, Group
from digest.cli.usage_errors import usage_error
from digest.errors import DigestError

#: The commands in the order of `digest --help`: where each one is (the function has the name of the
#: command, and a group is called `app`), and the first line of its help, which a test compares.
COMMANDS: Final = {
    "demo": ("demo", "Send the sample newsletter through an SMTP server on this machine."),
    "init": ("init", "Start a newsletter in a folder, with a commented digest.toml."),
    "check": ("checks", "Check configuration, database, templates, sources, SMTP and DNS."),
    "ingest": ("ingest", "Read sources, files or URLs, and store their articles."),
    "articles": ("articles", "List, add and edit articles; pin, drop or withdraw them."),
    "plan": ("plan", "Show the coming slots, and what each of them will send."),
    "simulate": ("simulate", "Show the editions that the rules would have made. Writes nothing."),
    "preview": ("preview", "Show the edition that would be sent now. Stores nothing."),
    "send": ("send", "Send an edition now, once to each active reader."),
    "run": ("run", "Run the service: ingest, prepare and deliver on schedule."),
    "draft": ("drafts", "Show the next edition as a draft file, or apply an edited one."),
    "approve": ("drafts", "Approve the draft, with its articles as they are now."),
    "hold": ("drafts", "Hold the draft, even past its slot, until somebody approves it."),
    "skip": ("drafts", "Skip the draft's slot, or else the next one."),
    "resume": ("send", "Continue an edition that is not complete. Creates no new one."),
    "stop": ("send", "Emergency stop: no further message of any edition is sent."),
    "status": ("status", "Show the latest editions, and who may not have received them."),
    "explain": ("explain", "Explain why an article was chosen or not, or what a reader got."),
    "audit": ("checks", "Verify that every article and every delivery is accounted for."),
    "backup": ("backup", "Copy the database to a new file while digest keeps running."),
    "restored": ("backup", "Continue from a backup that was put in place of the database."),
    "subscribers": ("subscribers", "Manage the list: add, import, export, unsubscribe, suppress."),
}


class LazyCommand(TyperCommand):
    """A command whose module is imported when it is called, or when its own help is asked for."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self._module = module

    def load(self) -> Any:
        """The command itself: a command or a group of Typer."""
        module = import_module(f"digest.cli.{self._module}")
        group = getattr(module, "app", None)
        if group is None:
            group = typer.Typer(add_completion=False, rich_markup_mode=None)
            group.command(self.name, cls=Command)(getattr(module, self.name or ""))
        return get_command(group)

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself, so that Typer goes on with that one."""
        return self.load().make_context(info_name, args, parent, **extra)


class _Root(Group):
    """The root group; it exits normally when the reader of its output has closed the pipe."""

    def __init__(self, **attributes: Any) -> None:
        commands = {
            name: LazyCommand(name, module, summary) for name, (module, summary) in COMMANDS.items()
        }
        super().__init__(**{**attributes, "commands": commands})

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # `digest … | head` is no error; an SMTP server that hangs up would be one.
            if not _output_is_closed():
                raise _unexpected(error) from error
            raise typer.Exit from None


app = typer.Typer(
    name="digest",
    cls=_Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option("--config", "-c", help="The configuration file; stands before the command."),
    ] = Path("digest.toml"),
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The newsletter that writes itself.

    `digest COMMAND --help` describes a command. The demo shows everything without any set-up:

    Example: `digest demo`
    """
    from digest.cli.session import CommandSession  # it reads the configuration: `--help` need not

    del version
    context.obj = CommandSession(config=config, debug=debug)


def main() -> NoReturn:
    """Run the command line. No traceback reaches a user without `--debug`."""
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run() -> int:
    """Run the command; its exit code."""
    try:
        code = app(standalone_mode=False) or Exit.DONE
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.message, err=True)
            return Exit.USAGE
        return _report(usage_error(error))
    except Exception as error:
        if _given("--debug"):
            raise
        return _report(error if isinstance(error, DigestError) else _unexpected(error))
    if code == Exit.INTERRUPTED:
        note("interrupted; unfinished changes were rolled back")
    return int(code)


def _report(error: DigestError) -> int:
    print_error(error)
    if _given("--json"):
        print_json(error_as_json(error))
    return error.exit_code


def _output_is_closed() -> bool:
    """Whether standard output is a pipe whose reader has closed it."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _unexpected(error: Exception) -> DigestError:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return DigestError(f"{where}{error.strerror or error}")
    return DigestError(
        f"unexpected error: {type(error).__name__}: {error}",
        hint="Run it again as `digest --debug …` and report the traceback.",
    )


def _given(option: str) -> bool:
    # Read from the arguments: an error may occur before they are parsed.
    return option in sys.argv[1:]
