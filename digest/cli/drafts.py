"""What the commands for drafts have in common."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from digest.cli.console import Exit, note, print_json

if TYPE_CHECKING:
    from digest.model.newsletter import Newsletter
    from digest.model.slot import Slot
    from digest.publishing.drafts.editing import Shown

SlotOption = Annotated[
    str | None,
    typer.Option(
        "--slot", metavar="SLOT", help="Of this slot, such as 2026-03-12T07:00; else the first."
    ),
]


def upcoming(newsletter: "Newsletter", now: datetime) -> "Iterable[Slot]":
    """The slots that come; by hand only, `now` is one."""
    from digest.model.slot import Slot
    from digest.publishing.editions.build import slot_of
    from digest.schedule.timetable import slots_after

    if newsletter.schedule is None:
        return (Slot(newsletter=newsletter.key, name=slot_of(now, newsletter), at=now),)
    return slots_after(newsletter, now)


def nothing_done(reason: str, *, as_json: bool) -> NoReturn:
    """Say why nothing was done, and exit with the code for that."""
    if as_json:
        print_json({"result": "skipped", "reason": reason})
    note(f"skipped: {reason}")
    raise typer.Exit(Exit.SKIPPED)


def draft_as_json(shown: "Shown") -> dict[str, Any]:
    """A draft as `--json` prints it."""
    from digest.lib.timestamps import to_text

    edition, sheet = shown.edition, shown.sheet
    return {
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "due_at": to_text(shown.stored.slot.at),
        "number": edition.number,
        "state": shown.stored.state,
        "differs": list(shown.differences),
        "subject": edition.subject,
        "intro": list(edition.intro),
        "stories": [
            {
                "id": story.article_id,
                "placement": story.placement,
                "section": story.section,
                "title": story.title,
                "deck": story.deck,
            }
            for story in edition.stories
        ],
        "waiting": [article.id for article in sheet.waiting],
        "dropped": [article.id for article in sheet.dropped],
        "gone": list(sheet.gone),
    }
