"""`digest skip`: leave out a slot."""

from typing import Annotated

import typer

from digest.cli.console import print_json, say
from digest.cli.drafts import SlotOption, nothing_done, upcoming
from digest.cli.options import AsJson, At, NewsletterArgument
from digest.cli.session import instant_of, session_of


def skip(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept on record.")
    ] = "",
    slot: SlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Leave out the slot of the draft, or else the coming one. Its articles wait for the next.

    It cannot be taken back; `digest hold` can.

    Example: `digest skip daily --reason "public holiday"`
    """
    from digest.lib.timestamps import next_second
    from digest.publishing.drafts.editing import skip as use_case
    from digest.publishing.editions.build import Skipped

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = next_second(instant_of(at, settings))
    result = use_case(
        settings,
        chosen,
        upcoming(chosen, now) if chosen.schedule else (),
        reason=" ".join(reason.split()),
        now=now,
        slot=slot,
    )
    if isinstance(result, Skipped):
        nothing_done(result.reason, as_json=as_json)
    if as_json:
        told = {"newsletter": chosen.key, "slot": result.slot.name, "reason": result.reason}
        print_json({"result": "left out", **told})
        return
    say(f"left out {result.slot.name} of {chosen.key}: {result.reason}")
