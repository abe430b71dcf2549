"""The command line: one file for each command of the manual, and what several of them share.

A command parses its options, calls a use case (or, for articles and subscribers, storage itself),
prints, and returns an exit code. `app` imports the module of a command when it is called, so
`digest --help` is as fast as Typer is.
"""

from digest.cli.app import main

__all__ = ["main"]
