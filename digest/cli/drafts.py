"""`digest draft`: the next edition as a text file, and an edited one read back.

What the commands for drafts have in common.

`digest approve`: let a draft out.

`digest hold`: have a draft wait.

`digest skip`: leave out a slot.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from digest.cli.console import Exit, note, print_error, print_json, results, say
from digest.cli.files import replace_whole, writable
from digest.cli.options import AsJson, At, NewsletterArgument
from digest.cli.session import instant_of, session_of
from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.lib.timestamps import next_second, to_text
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.drafts import editing
from digest.publishing.drafts.draft_file import describe_slot, is_unedited, write
from digest.publishing.drafts.draft_file_parser import MOST, DraftFileError, parse
from digest.publishing.drafts.editing import DraftView
from digest.publishing.editions.build import Skipped, slot_of
from digest.schedule.timetable import slots_after

SlotOption = Annotated[
    str | None,
    typer.Option(
        "--slot", metavar="SLOT", help="Of this slot, such as 2026-03-12T07:00; else the first."
    ),
]


def upcoming(newsletter: Newsletter, now: datetime) -> Iterable[Slot]:
    """The slots that come; by hand only, `now` is one."""
    if newsletter.schedule is None:
        return (Slot(newsletter=newsletter.key, name=slot_of(now, newsletter), at=now),)
    return slots_after(newsletter, now)


def nothing_done(reason: str, *, as_json: bool) -> NoReturn:
    """Say why nothing was done, and exit with the code for that."""
    if as_json:
        print_json({"result": "skipped", "reason": reason})
    note(f"skipped: {reason}")
    raise typer.Exit(Exit.SKIPPED)


def draft_as_json(shown: DraftView) -> dict[str, Any]:
    """A draft as `--json` prints it."""
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


def approve(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: SlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Approve the draft, with its articles as they are now.

    What readers will see is sealed. If any of it changes before the slot, it is held and you are
    asked again.

    Example: `digest approve daily`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = next_second(instant_of(at, settings))
    result = editing.approve(settings, chosen, now=now, slot=slot)
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
    say(describe_slot(shown.stored, chosen, now=now))


def draft(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it to this file.")
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option("--read", metavar="FILE", help="Take over what you made of the file."),
    ] = None,
    slot: SlotOption = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Select again, in place of the draft that is there.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that was edited.")
    ] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the next edition as a draft file, or apply an edited one.

    If none waits it is made now, and waits for its slot. Order, sections, lead, headlines, decks,
    subject, intro and what is dropped are yours; a file with mistakes changes nothing.

    Example: `digest draft daily --out draft.txt`, then `digest draft daily --read draft.txt`
    """
    if read is not None and (out is not None or anew or force):
        raise UsageError("--read takes a file over; it goes with no --out, --anew or --force")
    settings = session_of(context).settings
    if read is not None and newsletter is None:
        newsletter = _named_in(read, settings)
    chosen = settings.newsletter(newsletter)
    now = next_second(instant_of(at, settings))
    if out is not None:
        _refuse_edited(out, force=force)
    if read is not None:
        result = editing.apply_draft_file(settings, chosen, _content(read), now=now, slot=slot)
        if isinstance(result, tuple):
            _tell_mistakes(read, result, as_json=as_json)
    else:
        result = editing.show(
            settings, chosen, upcoming(chosen, now), now=now, slot=slot, anew=anew
        )
    if isinstance(result, Skipped):
        nothing_done(result.reason, as_json=as_json)
    if read is not None:
        _tell_taken_over(result, chosen, now, as_json=as_json)
    else:
        _show(result, chosen, out, now, as_json=as_json)
    for difference in result.differences:
        note(f"not as it was approved: {difference}")


def _refuse_edited(out: Path, *, force: bool) -> None:
    """Raises UsageError where writing would lose somebody's work."""
    writable(out)
    if force or not out.is_file():
        return
    if not is_unedited(_content(out).decode(errors="replace")):
        raise UsageError(
            f"--out: {out} is there, and is no draft as it was written",
            hint=f"`digest draft --read {out}` takes it over, --force writes over it.",
        )


def _named_in(sheet: Path, settings: Settings) -> str | None:
    """The newsletter that a sheet says it is of, if it is one of ours."""
    key, _ = parse(_content(sheet)).about
    return key if key in settings.newsletters else None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _tell_mistakes(file: Path, mistakes: tuple[DraftFileError, ...], *, as_json: bool) -> NoReturn:
    found = counted(len(mistakes), "mistake")
    message = f"{file} has {found}; nothing of it was taken over"
    if as_json:
        told = [{"line": one.line, "message": one.message} for one in mistakes]
        print_json({"error": message, "mistakes": told})
    print_error(UsageError(message))
    for one in mistakes:
        note(f"  {one}")
    raise typer.Exit(Exit.USAGE)


def _tell_taken_over(
    shown: DraftView, newsletter: Newsletter, now: datetime, *, as_json: bool
) -> None:
    if as_json:
        print_json(draft_as_json(shown))
        return
    stories = counted(len(shown.edition.stories), "story", "stories")
    say(f"No. {shown.edition.number} “{shown.edition.subject}”, {stories}")
    say(describe_slot(shown.stored, newsletter, now=now))


def _show(
    shown: DraftView, newsletter: Newsletter, out: Path | None, now: datetime, *, as_json: bool
) -> None:
    text = write(shown.sheet, newsletter, now=now)
    if out is not None:
        replace_whole(out, text.encode())
    if as_json:
        print_json(draft_as_json(shown) | {"out": str(out) if out else None})
    elif out is None:
        results().write(text)
    else:
        note(f"wrote {out}; edit it, and `digest draft --read {out}` takes it over")
        note(describe_slot(shown.stored, newsletter, now=now))


def hold(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: SlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Hold the draft, even past its slot, until somebody approves it.

    Takes back an approval. The edition that is being sent already is stopped by `digest stop`.

    Example: `digest hold daily`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = instant_of(at, settings)
    result = editing.hold(settings, chosen, now=now, slot=slot)
    if isinstance(result, Skipped):
        nothing_done(result.reason, as_json=as_json)
    if as_json:
        print_json({"result": "held", "newsletter": chosen.key, "slot": result.slot.name})
        return
    say(f"held the draft of {chosen.key} for {result.slot.name}; `digest approve` lets it out")


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
    """Skip the draft's slot, or else the next one.

    It cannot be taken back; `digest hold` can.

    Example: `digest skip daily --reason "public holiday"`
    """
    settings = session_of(context).settings
    chosen = settings.newsletter(newsletter)
    now = next_second(instant_of(at, settings))
    result = editing.skip(
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
