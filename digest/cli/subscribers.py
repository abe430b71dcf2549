"""`digest subscribers`: the list."""

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.asking import ask, on_a_terminal
from digest.cli.console import print_json, say
from digest.cli.help import Command, Group
from digest.cli.list_files import export, import_
from digest.cli.options import AsJson, Limit, NewsletterOption
from digest.cli.session import reading, typed_in
from digest.cli.subscriber_options import (
    States,
    Wording,
    circumstances,
    key_of,
    opened,
    split,
    standings_of,
)
from digest.errors import UsageError

if TYPE_CHECKING:
    from digest.subscribers.membership import Leaving

app = typer.Typer(
    name="subscribers",
    cls=Group,
    help="The list: who reads, who left, and who must never be mailed.\n\n"
    "Example: `digest subscribers import readers.csv --dry-run`",
    no_args_is_help=True,
    rich_markup_mode=None,
)


Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address.")]


@app.command(cls=Command)
def add(
    context: typer.Context,
    email: Annotated[
        str, typer.Argument(metavar="EMAIL", help="The address, or `A Name <name@example.com>`.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="The reader's name.")] = "",
    language: Annotated[str | None, typer.Option("--language", help="Such as pt-BR.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Such as Europe/Lisbon.")
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topics",
            metavar="TOPIC,…",
            help="Only these. Commas between them, or given repeatedly.",
        ),
    ] = None,
    consent: Wording = None,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a reader on the list, active at once: you vouch for the reader's wish.

    Who left comes back only if you say, with --consent, in which words that person asked for it.
    A suppressed address is never added.

    Example: `digest subscribers add "Eva Sá <eva@example.com>" --timezone Europe/Lisbon`
    """
    from digest.subscribers import import_row, membership
    from digest.subscribers.import_policy import Fate

    with typed_in():
        typed = import_row.typed(
            email, name=name, language=language, timezone=timezone, topics=split(topics)
        )
    given = circumstances(key_of(context, newsletter), wording=consent)
    with opened(context) as db:
        fate = membership.add(db, typed, given)
    if as_json:
        print_json({"email": typed.email, "newsletter": given.newsletter, "result": fate})
        return
    said = {Fate.ADDED: "is on the list now", Fate.UPDATED: "was on the list; values updated"}
    result = said.get(fate, "is on the list already, as it is")
    say(f"{typed.email} {result} ({given.newsletter})")


app.command("import", cls=Command)(import_)
app.command(cls=Command)(export)


@app.command("list", cls=Command)
def list_(
    context: typer.Context,
    *,
    state: States = None,
    limit: Limit = 100,
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on the list, and how many are in each state.

    Example: `digest subscribers list --state paused --state unsubscribed`
    """
    from digest.cli.subscriber_views import members_as_json, print_members
    from digest.storage import subscriptions

    key = key_of(context, newsletter)
    standings = standings_of(state)
    with reading(context) as db:
        counts = subscriptions.counts(db, key)
        members = list(subscriptions.members(db, key, standings, most=limit or -1))
    if as_json:
        print_json(members_as_json(key, members, counts))
    else:
        print_members(members, counts, standings=standings)


@app.command(cls=Command)
def show(context: typer.Context, email: Email, *, as_json: AsJson = False) -> None:
    """Show everything that is known about an address: consents and deliveries, too.

    Example: `digest subscribers show eva@example.com`
    """
    from digest.cli.subscriber_views import print_record, record_as_json
    from digest.subscribers.address import normalise
    from digest.subscribers.membership import record_of

    with typed_in():
        address = normalise(email)
    with reading(context) as db:
        record = record_of(db, address)
    if as_json:
        print_json(record_as_json(record))
    else:
        print_record(record)


@app.command(cls=Command)
def unsubscribe(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str, typer.Option("--reason", help="Kept as a receipt.")
    ] = "asked the owner of the list",
    newsletter: NewsletterOption = None,
    as_json: AsJson = False,
) -> None:
    """Let a reader leave a newsletter. No import brings that person back.

    Example: `digest subscribers unsubscribe eva@example.com --reason "by phone, 12 March"`
    """
    from digest.subscribers import membership
    from digest.subscribers.address import normalise

    given = circumstances(key_of(context, newsletter))
    with typed_in():
        address = normalise(email)
    with opened(context) as db:
        leaving = membership.unsubscribe(db, address, reason, given)
    _print_leaving(leaving, "unsubscribed", as_json=as_json)


@app.command(cls=Command)
def suppress(
    context: typer.Context,
    email: Email,
    *,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Such as 'asked by letter'. A terminal is asked for it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep an address from ever being mailed, by any newsletter, on the list or not.

    Example: `digest subscribers suppress eva@example.com --reason "asked by letter"`
    """
    from digest.subscribers import membership
    from digest.subscribers.address import normalise

    with typed_in():
        address = normalise(email)
    if reason is None and on_a_terminal():
        told = ask(f"Why must {address} never be mailed", _why)
    else:
        told = _why(reason or "")
    with opened(context) as db:
        leaving = membership.suppress(db, address, told, circumstances(None))
    _print_leaving(leaving, "suppressed", as_json=as_json)


def _why(reason: str) -> str:
    from digest.subscribers.field_values import one_line

    clean = one_line(reason)
    if not clean:
        raise UsageError(
            "there is no --reason, expected why this address must never be mailed",
            hint="Such as --reason 'asked by letter'; it is kept with the address.",
        )
    return clean


def _print_leaving(leaving: "Leaving", word: str, *, as_json: bool) -> None:
    if as_json:
        result = {"email": leaving.email, "result": word, "already": leaving.already}
        print_json(result)
        return
    state = f"was {word} already; nothing was changed" if leaving.already else f"is {word} now"
    say(f"{leaving.email} {state}")
