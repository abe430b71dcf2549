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


def option(help_: str, *names: str, **settings: Any) -> Any:
    """An option; without `names`, its name is that of the parameter."""
    return typer.Option(*names, help=help_, **settings)


def argument(help_: str, **settings: Any) -> Any:
    """An argument, which stands in the place of its parameter."""
    return typer.Argument(help=help_, **settings)


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
    argument(
        "Its key in digest.toml; needed only where there are several.",
        metavar="NEWSLETTER",
        autocompletion=newsletter_keys,
    ),
]
#: For commands that are about every edition unless a newsletter is named.
AnyNewsletterArgument = Annotated[
    str | None,
    argument(
        "Its key in digest.toml (default: all newsletters).",
        metavar="NEWSLETTER",
        autocompletion=newsletter_keys,
    ),
]
NewsletterOption = Annotated[
    str | None,
    option(
        "The newsletter's key in digest.toml; needed only where there are several.",
        "--newsletter",
        "-n",
        metavar="KEY",
        autocompletion=newsletter_keys,
    ),
]
ArticleNumber = Annotated[
    int,
    argument(
        "The article's number, from `digest articles list`.", metavar="ID", min=1, max=LARGEST
    ),
]
AsJson = Annotated[bool, option("Print the result as JSON.", "--json")]
At = Annotated[
    str | None, option("Pretend that it is TIME, such as 2026-03-12T07:00.", "--at", metavar="TIME")
]
Outbox = Annotated[
    Path | None,
    option("Write .eml files into DIR instead of using SMTP.", "--outbox", metavar="DIR"),
]
Limit = Annotated[
    int, option("Show at most N rows (0 = all).", "--limit", metavar="N", min=0, max=LARGEST)
]
DryRun = Annotated[bool, option("Report what would be done, and change nothing.", "--dry-run")]
Yes = Annotated[bool, option("Do not ask for confirmation.", "--yes", "-y")]
