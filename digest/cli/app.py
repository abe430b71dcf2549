"""The root command: global options, and the commands in the order in which people meet them."""

import os
import select
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from digest import __version__
from digest.cli.articles import app as articles
from digest.cli.backup import backup, restored
from digest.cli.checks import audit, check
from digest.cli.demo import demo
from digest.cli.drafts import approve, draft, hold, skip
from digest.cli.explain import explain
from digest.cli.help import Command, Group
from digest.cli.ingest import ingest
from digest.cli.init import init
from digest.cli.plan import plan
from digest.cli.preview import preview
from digest.cli.run import run
from digest.cli.send import resume, send, stop
from digest.cli.session import CommandSession
from digest.cli.simulate import simulate
from digest.cli.status import status
from digest.cli.subscribers import app as subscribers
from digest.errors import DigestError


class _Root(Group):
    """The root group; it ends in order when the reader of its output has left."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # `digest … | head` is no error of ours; a relay that hangs up would be one.
            if not _reader_has_left():
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            "-c",
            metavar="FILE",
            help="The newsletter's configuration. It stands before the command.",
        ),
    ] = Path("digest.toml"),
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The newsletter that writes itself.

    `digest COMMAND --help` tells about a command. To see it all work, without any set-up:

    Example: `digest demo`
    """
    del version
    context.obj = CommandSession(config=config, debug=debug)


# --- the commands, in the order of `digest --help` ---

app.command(cls=Command)(demo)
app.command(cls=Command)(init)
app.command(cls=Command)(check)
app.command(cls=Command)(ingest)
app.add_typer(articles)
app.command(cls=Command)(plan)
app.command(cls=Command)(simulate)
app.command(cls=Command)(preview)
app.command(cls=Command)(send)
app.command(cls=Command)(run)
app.command(cls=Command)(draft)
app.command(cls=Command)(approve)
app.command(cls=Command)(hold)
app.command(cls=Command)(skip)
app.command(cls=Command)(resume)
app.command(cls=Command)(stop)
app.command(cls=Command)(status)
app.command(cls=Command)(explain)
app.command(cls=Command)(audit)
app.command(cls=Command)(backup)
app.command(cls=Command)(restored)
app.add_typer(subscribers)


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
    from digest.cli.console import Exit

    try:
        code = app(standalone_mode=False) or Exit.DONE
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.message, err=True)
            return Exit.USAGE
        from digest.cli.usage_errors import in_our_words

        return _complain(in_our_words(error))
    except DigestError as error:
        if _given("--debug"):
            raise
        return _complain(error)
    except Exception as error:
        if _given("--debug"):
            raise
        return _complain(_unexpected(error))
    if code == Exit.INTERRUPTED:
        from digest.cli.console import note

        note("interrupted; what was not finished was undone")
    return int(code)


def _complain(error: DigestError) -> int:
    from digest.cli.console import error_as_json, print_error, print_json

    print_error(error)
    if _given("--json"):
        print_json(error_as_json(error))
    return error.exit_code


def _reader_has_left() -> bool:
    """Whether standard output is a pipe that nobody reads."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _unexpected(error: Exception) -> DigestError:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return DigestError(f"{where}{error.strerror or error}")
    return DigestError(
        f"something we did not foresee: {type(error).__name__}: {error}",
        hint="Repeat the command with `digest --debug …` and report what it shows.",
    )


def _given(option: str) -> bool:
    # Read from the arguments: an error may come before they are understood.
    return option in sys.argv[1:]
