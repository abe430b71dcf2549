"""The root command: global options, and the commands in the order in which people meet them."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from digest import __version__
from digest.cli.articles import app as articles
from digest.cli.audit import audit
from digest.cli.check import check
from digest.cli.demo import demo
from digest.cli.ingest import ingest
from digest.cli.init import init
from digest.cli.preview import preview
from digest.cli.resume import resume, stop
from digest.cli.send import send
from digest.cli.session import Session
from digest.cli.status import status
from digest.cli.subscribers import app as subscribers
from digest.errors import DigestError


class _Root(TyperGroup):
    """The root group; it ends in order when somebody presses Ctrl-C."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from digest.cli.output import Exit, note

            note("interrupted; what was not finished was undone")
            sys.exit(Exit.INTERRUPTED)


app = typer.Typer(
    name="digest",
    cls=_Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
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
        typer.Option("--config", "-c", help="The newsletter's configuration."),
    ] = Path("digest.toml"),
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """The newsletter that writes itself."""
    del version
    context.obj = Session(config=config, debug=debug)


# --- the commands, in the order of `digest --help` ---

app.command()(demo)
app.command()(init)
app.command()(check)
app.command()(ingest)
app.add_typer(articles)
app.command()(preview)
app.command()(send)
app.command()(resume)
app.command()(stop)
app.command()(status)
app.command()(audit)
app.add_typer(subscribers)


def main() -> NoReturn:
    """Run the command line. No traceback reaches a user without `--debug`."""
    from digest.cli.output import Exit

    try:
        app()
    except DigestError as error:
        if _debugging():
            raise
        from digest.cli.output import print_error

        print_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has left (`digest … | head`); that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.DONE)
    except Exception as error:
        if _debugging():
            raise
        from digest.cli.output import print_error

        print_error(_unexpected(error))
        sys.exit(Exit.ERROR)
    sys.exit(Exit.DONE)


def _unexpected(error: Exception) -> DigestError:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return DigestError(f"{where}{error.strerror or error}")
    return DigestError(
        f"something we did not foresee: {type(error).__name__}: {error}",
        hint="Repeat the command with `digest --debug …` and report what it shows.",
    )


def _debugging() -> bool:
    # Read from the arguments: an error may come before the session is made.
    return "--debug" in sys.argv[1:]
