"""One thin file per command: it parses, calls one use case, prints, returns a code.

What a command needs is imported inside its function: `digest --help` is then as quick as Typer is.
"""

from digest.cli.app import main

__all__ = ["main"]
