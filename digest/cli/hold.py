"""`digest hold`: have a draft wait."""

import typer

from digest.cli.console import print_json, say
from digest.cli.drafts import SlotOption, nothing_done
from digest.cli.options import AsJson, At, NewsletterArgument
from digest.cli.session import instant_of, session_of


def hold(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: SlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Have the draft wait, past its slot too, until somebody approves it.

    Takes back an approval. The edition that is being sent already is stopped by `digest stop`.

    Example: `digest hold daily`
    """
    from digest.publishing.drafts.editing import hold as use_case
    from digest.publishing.editions.build import Skipped

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = instant_of(at, settings)
    result = use_case(settings, chosen, now=now, slot=slot)
    if isinstance(result, Skipped):
        nothing_done(result.reason, as_json=as_json)
    if as_json:
        print_json({"result": "held", "newsletter": chosen.key, "slot": result.slot.name})
        return
    say(f"held the draft of {chosen.key} for {result.slot.name}; `digest approve` lets it out")
