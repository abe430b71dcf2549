"""The options and arguments that several commands have, and what a shell completes them with.

A completion reads digest.toml as it stands, quickly and without a word: where it cannot be read,
there is nothing to offer.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

#: SQLite's largest integer: a larger number can be no article and no limit.
LARGEST = 2**63 - 1


def newsletter_keys(context: typer.Context, incomplete: str) -> list[str]:
    """The keys of newsletters that begin like this."""
    found = _file(context).get("newsletters")
    return _beginning(incomplete, found if isinstance(found, dict) else {})


def source_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of sources that begin like this."""
    found = _file(context).get("sources")
    tables = found if isinstance(found, list) else []
    return _beginning(incomplete, [one.get("name") for one in tables if isinstance(one, dict)])


def _file(context: typer.Context) -> dict[str, Any]:
    path = context.find_root().params.get("config") or "digest.toml"
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _beginning(incomplete: str, names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str) and name.startswith(incomplete)]


#: Of the commands that are about an edition; the others have the option.
NewsletterArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="NEWSLETTER",
        help="Its key in digest.toml; not needed for the only one.",
        autocompletion=newsletter_keys,
    ),
]
NewsletterOption = Annotated[
    str | None,
    typer.Option(
        "--newsletter",
        "-n",
        metavar="KEY",
        help="The newsletter's key in digest.toml; not needed for the only one.",
        autocompletion=newsletter_keys,
    ),
]
ArticleNumber = Annotated[
    int,
    typer.Argument(
        metavar="ID", min=1, max=LARGEST, help="Its number, as `digest articles list` shows it."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="As if it were this time, such as 2026-03-12T07:00."),
]
Outbox = Annotated[
    Path | None,
    typer.Option("--outbox", metavar="DIR", help="Write .eml files here instead of using SMTP."),
]
Limit = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=0, max=LARGEST, help="At most so many; 0: all."),
]
