"""`digest approve`: let a draft out."""

import typer

from digest.cli.console import note, print_json, say
from digest.cli.drafts import SlotOption, draft_as_json, nothing_done
from digest.cli.options import AsJson, At, NewsletterArgument
from digest.cli.session import instant_of, session_of
from digest.lib.formatting import counted


def approve(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: SlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Approve the draft that waits, with what its articles say now.

    What readers will see is sealed. If any of it changes before the slot, it is held and you are
    asked again.

    Example: `digest approve daily`
    """
    from digest.lib.timestamps import next_second
    from digest.publishing.drafts.draft_file import prospect
    from digest.publishing.drafts.editing import approve as use_case
    from digest.publishing.editions.build import Skipped

    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = next_second(instant_of(at, settings))
    result = use_case(settings, chosen, now=now, slot=slot)
    if isinstance(result, Skipped):
        nothing_done(result.reason, as_json=as_json)
    shown, edition = result.shown, result.shown.edition
    for reason in shown.sheet.gone:
        note(f"not in it: {reason}")
    if as_json:
        print_json(draft_as_json(shown) | {"readers": result.readers})
        return
    stories = counted(len(edition.stories), "story", "stories")
    readers = counted(result.readers, "reader")
    say(f"approved No. {edition.number} of {chosen.title}: {stories}, {readers}")
    say(f"  {edition.subject}")
    for story in edition.stories:
        say(f"  [{story.article_id}] {story.title}")
    say(prospect(shown.stored, chosen, now=now))
