"""`digest draft`, `approve`, `hold` and `skip`: what an editor does with the next edition."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from digest.cli.console import (
    Exit,
    fields_of,
    note,
    print_error,
    print_json,
    print_result,
    results,
    say,
)
from digest.cli.files import replace_whole, writable
from digest.cli.options import AsJson, At, NewsletterArgument, option
from digest.cli.session import chosen, session_of
from digest.cli.skipped import unless_skipped
from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import counted
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.drafts import editing
from digest.publishing.drafts.draft_file import DraftFile, describe_slot, is_unedited, write
from digest.publishing.drafts.draft_file_parser import MOST, DraftFileError, parse
from digest.publishing.editions.build import slot_of
from digest.schedule.timetable import slots_after


def _slot(default: str) -> Any:
    help_ = f"The slot, such as 2026-03-12T07:00 (default: {default})."
    return option(help_, "--slot", metavar="SLOT")


DraftSlotOption = Annotated[str | None, _slot("the first that has a draft")]
AnySlotOption = Annotated[str | None, _slot("the first that has a draft, or else the next one")]


def approve(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: DraftSlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Approve the draft, with its articles as they are now.

    If an article changes before the slot, the draft is held until somebody approves it again.

    Example: `digest approve daily`
    """
    settings, named, now = chosen(context, newsletter, at)
    result = unless_skipped(editing.approve(settings, named, now=now, slot=slot), as_json=as_json)
    shown, edition = result.shown, result.shown.edition
    for reason in shown.unusable:
        note(f"not in the edition: {reason}")
    if as_json:
        print_json(_draft_json(shown) | {"readers": result.readers})
        return
    stories = counted(len(edition.stories), "story", "stories")
    readers = counted(result.readers, "reader")
    say(f"approved No. {edition.number} of {named.title}: {stories}, {readers}")
    say(f"  {edition.subject}")
    for story in edition.stories:
        say(f"  [{story.article_id}] {story.title}")
    say(describe_slot(shown.draft, named, now=now))


def draft(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    out: Annotated[Path | None, option("Write it to this file.", "--out", "-o")] = None,
    read: Annotated[Path | None, option("Apply this edited draft file.")] = None,
    slot: AnySlotOption = None,
    anew: Annotated[bool, option("Discard the stored draft and make a new one.", "--anew")] = False,
    force: Annotated[bool, option("Overwrite a file that was edited.", "--force")] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Show the next edition as a draft file, or apply an edited one.

    The draft is stored until its slot; if there is none, it is made now. In the file you can change
    order, sections, lead, headlines, decks, subject and intro, and drop articles. A file with
    mistakes changes nothing.

    Example: `digest draft daily --out draft.txt`, then `digest draft daily --read draft.txt`
    """
    if read is not None and (out is not None or anew or force):
        raise UsageError("--read cannot be combined with --out, --anew or --force")
    if read is not None and newsletter is None:
        newsletter = _newsletter_of(read, session_of(context).settings)
    settings, named, now = chosen(context, newsletter, at)
    if read is not None:
        applied = editing.apply_draft_file(settings, named, _content(read), now=now, slot=slot)
        if isinstance(applied, tuple):
            _report_mistakes(read, applied, as_json=as_json)
        result = unless_skipped(applied, as_json=as_json)
        edition = result.edition
        stories = counted(len(edition.stories), "story", "stories")
        when = describe_slot(result.draft, named, now=now)
        text = f"No. {edition.number} “{edition.subject}”, {stories}\n{when}"
        print_result(_draft_json(result), text, as_json=as_json)
    else:
        if out is not None:
            _refuse_edited(out, force=force)
        coming = _upcoming(named, now)
        view = editing.show(settings, named, coming, now=now, slot=slot, anew=anew)
        result = unless_skipped(view, as_json=as_json)
        _show(result, named, out, now, as_json=as_json)
    for difference in result.differences:
        note(f"changed since it was approved: {difference}")


def _refuse_edited(out: Path, *, force: bool) -> None:
    """Raises UsageError where writing the file would lose an editor's work."""
    writable(out)
    if force or not out.is_file():
        return
    if not is_unedited(_content(out).decode(errors="replace")):
        raise UsageError(
            f"--out: {out} exists and is not an unedited draft",
            hint=f"Apply it with `digest draft --read {out}`, or overwrite it with --force.",
        )


def _newsletter_of(draft_file: Path, settings: Settings) -> str | None:
    """The newsletter that a draft file names, if digest.toml has it."""
    key, _ = parse(_content(draft_file)).about
    return key if key in settings.newsletters else None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _report_mistakes(file: Path, mistakes: Sequence[DraftFileError], *, as_json: bool) -> NoReturn:
    message = f"{file} has {counted(len(mistakes), 'mistake')}; the draft was not changed"
    if as_json:
        print_json({"error": message, "mistakes": mistakes})
    print_error(UsageError(message))
    for mistake in mistakes:
        note(f"  {mistake}")
    raise typer.Exit(Exit.USAGE)


def _show(
    shown: DraftFile, newsletter: Newsletter, out: Path | None, now: datetime, *, as_json: bool
) -> None:
    text = write(shown, newsletter, now=now)
    if out is not None:
        replace_whole(out, text.encode())
    if as_json:
        print_json(_draft_json(shown) | {"out": out})
    elif out is None:
        results().write(text)
    else:
        note(f"wrote {out}; edit it, then run `digest draft --read {out}`")
        note(describe_slot(shown.draft, newsletter, now=now))


def hold(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    slot: DraftSlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Hold the draft, even past its slot, until somebody approves it.

    Undoes `digest approve`. `digest stop` stops an edition that is being sent already.

    Example: `digest hold daily`
    """
    settings, named, now = chosen(context, newsletter, at)
    result = unless_skipped(editing.hold(settings, named, now=now, slot=slot), as_json=as_json)
    print_result(
        {"result": "held", "newsletter": named.key, "slot": result.slot.name},
        f"held the draft of {named.key} for {result.slot.name}; `digest approve` releases it",
        as_json=as_json,
    )


def skip(
    context: typer.Context,
    newsletter: NewsletterArgument = None,
    *,
    reason: Annotated[str, option("Why; stored with the slot.")] = "",
    slot: AnySlotOption = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Skip the draft's slot, or else the next one.

    Its articles stay available for the next edition. It cannot be undone; `digest hold` can.

    Example: `digest skip daily --reason "public holiday"`
    """
    settings, named, now = chosen(context, newsletter, at)
    coming = _upcoming(named, now) if named.schedule else ()
    why = " ".join(reason.split())
    skipped = editing.skip(settings, named, coming, reason=why, now=now, slot=slot)
    result = unless_skipped(skipped, as_json=as_json)
    shown = {"newsletter": named.key, "slot": result.slot.name, "reason": result.reason}
    print_result(
        {"result": "left out", **shown},
        f"skipped {result.slot.name} of {named.key}: {result.reason}",
        as_json=as_json,
    )


def _upcoming(newsletter: Newsletter, now: datetime) -> Iterable[Slot]:
    """The coming slots; `now` is one for a newsletter that has no schedule."""
    if newsletter.schedule is None:
        return (Slot(newsletter=newsletter.key, name=slot_of(now, newsletter), at=now),)
    return slots_after(newsletter, now)


def _draft_json(shown: DraftFile) -> dict[str, Any]:
    """A draft as `--json` prints it."""
    edition, draft_file = shown.edition, shown
    return {
        **fields_of(edition, "newsletter", "slot"),
        "due_at": shown.draft.slot.at,
        "number": edition.number,
        "state": shown.draft.state,
        "differs": shown.differences,
        **fields_of(edition, "subject", "intro"),
        "stories": [
            {"id": story.article_id} | fields_of(story, "placement", "section", "title", "deck")
            for story in edition.stories
        ],
        "waiting": [article.id for article in draft_file.waiting],
        "dropped": [article.id for article in draft_file.dropped],
        "gone": draft_file.unusable,
    }
