"""Options and arguments that several commands share, and their shell completion.

Completion reads digest.toml directly, without validation or messages: where it cannot be read,
nothing is offered.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

#: SQLite's largest integer: no article's id and no limit can be larger.
LARGEST = 2**63 - 1


def newsletter_keys(context: typer.Context, incomplete: str) -> list[str]:
    """The keys of newsletters that begin like this."""
    tables = _file(context).get("newsletters")
    return _beginning(incomplete, tables if isinstance(tables, dict) else {})


def source_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of sources that begin like this."""
    tables = _file(context).get("sources")
    sources = tables if isinstance(tables, list) else []
    names = [source.get("name") for source in sources if isinstance(source, dict)]
    return _beginning(incomplete, names)


def _file(context: typer.Context) -> dict[str, Any]:
    path = context.find_root().params.get("config") or "digest.toml"
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _beginning(incomplete: str, names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str) and name.startswith(incomplete)]


#: For commands that are about an edition; the others have the option.
NewsletterArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="NEWSLETTER",
        help="Its key in digest.toml; needed only where there are several.",
        autocompletion=newsletter_keys,
    ),
]
NewsletterOption = Annotated[
    str | None,
    typer.Option(
        "--newsletter",
        "-n",
        metavar="KEY",
        help="The newsletter's key in digest.toml; needed only where there are several.",
        autocompletion=newsletter_keys,
    ),
]
ArticleNumber = Annotated[
    int,
    typer.Argument(
        metavar="ID", min=1, max=LARGEST, help="The article's number, from `digest articles list`."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Pretend that it is TIME, such as 2026-03-12T07:00."),
]
Outbox = Annotated[
    Path | None,
    typer.Option(
        "--outbox", metavar="DIR", help="Write .eml files into DIR instead of using SMTP."
    ),
]
Limit = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=0, max=LARGEST, help="Show at most N rows (0 = all)."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Report what would be done, and change nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
