"""What an editor does with a draft: show, change, approve or hold it, or skip its slot.

An editor who names no slot means the earliest draft, or else the first slot that is still open.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from digest.config import Settings
from digest.errors import LedgerError, UsageError
from digest.model.article import Article, Verdict
from digest.model.draft import Draft, DraftContents, DraftState
from digest.model.edition import Placement
from digest.model.newsletter import Newsletter
from digest.model.slot import SkippedBy, Slot, SlotRecord, SlotState
from digest.publishing.drafts.approval import approval_of
from digest.publishing.drafts.draft_file import DraftFile
from digest.publishing.drafts.draft_file_parser import DraftFileError, parse
from digest.publishing.drafts.draft_file_validator import Validation
from digest.publishing.drafts.lifecycle import make_draft, propose_draft, unapproved_changes
from digest.publishing.drafts.resolve import NothingLeft, ResolvedDraft, horizon_of, resolve_at_slot
from digest.publishing.editions.build import Skipped, render_edition
from digest.storage import drafts, slots
from digest.storage.database import Database, open_database

#: How many slots ahead a name is looked for.
_FURTHEST: Final = 10_000


def open_draft(db: Database, newsletter: Newsletter, slot: str | None) -> Draft | None:
    """The open draft of this slot, or the one whose slot is the earliest."""
    open_drafts = drafts.still_open(db, newsletter.key)
    return next((draft for draft in open_drafts if slot in (None, draft.slot.name)), None)


def existing(db: Database, slot: Slot) -> Draft:
    """The draft of a slot that has one. Raises LedgerError if somebody was quicker."""
    draft = drafts.find(db, slot)
    if draft is None:
        raise LedgerError(
            f"the draft of {slot.newsletter} for {slot.name} is gone",
            hint="`digest status` shows what became of it.",
        )
    return draft


def open_slot(
    db: Database, newsletter: Newsletter, upcoming: Iterable[Slot], name: str | None
) -> Slot | Skipped:
    """The first slot to come that is still open, or the one of this name.

    Raises UsageError for a name that no slot to come has.
    """
    for slot in islice(upcoming, _FURTHEST):
        if name is not None and slot.name < name:
            continue
        if name is not None and slot.name != name:
            break
        record = slots.find(db, newsletter.key, slot.name)
        if record is None or record.state.is_open:
            return slot
        if record.state is not SlotState.PREPARED:
            return Skipped(
                reason=f"the slot {slot.name} has no edition: {record.reason};"
                " --slot names another slot"
            )
        if name is not None:
            return Skipped(reason=f"the slot {slot.name} has its edition")
    if name is not None:
        raise UsageError(
            f"--slot: {newsletter.key} has no slot {name} to come, and no draft for it",
            hint="`digest plan` lists the upcoming slots; a slot is named 2026-03-12T07:00.",
        )
    return Skipped(reason=f"{newsletter.key} has no upcoming slot")


def no_draft(newsletter: Newsletter) -> Skipped:
    """Why nothing was done, where no draft waits."""
    return Skipped(reason=f"no draft of {newsletter.key} waits; `digest draft` makes one")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedDraft:
    """A draft that was approved, and how many readers its edition would have now."""

    shown: DraftFile
    readers: int


def show(
    settings: Settings,
    newsletter: Newsletter,
    upcoming: Iterable[Slot],
    *,
    now: datetime,
    slot: str | None = None,
    anew: bool = False,
) -> DraftFile | Skipped:
    """The draft that waits; without one it is made, for the first of the `upcoming` slots.

    With the name of a `slot`, the draft of that one. With `anew`, what the rules select now takes
    the place of what was there. Raises LedgerError, UsageError, TemplateError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        draft = open_draft(db, newsletter, slot)
        if draft is None:
            target = open_slot(db, newsletter, upcoming, slot)
            if isinstance(target, Skipped):
                return target
            contents = make_draft(db, settings, newsletter, target, now=now)
        elif anew:
            contents = propose_draft(db, settings, newsletter, draft.slot, now=now)
            if isinstance(contents, DraftContents):
                state = _after_a_change(newsletter, draft, now)
                drafts.decide(db, draft.slot, contents, state, now=now)
            target = draft.slot
        else:
            return _view(db, settings, newsletter, draft, now)
        if isinstance(contents, Skipped):
            if newsletter.schedule is None:
                return contents
            return Skipped(reason=f"no draft for {target.name}: {contents.reason}")
        return _view(db, settings, newsletter, existing(db, target), now)


def apply_draft_file(
    settings: Settings,
    newsletter: Newsletter,
    content: bytes,
    *,
    now: datetime,
    slot: str | None = None,
) -> DraftFile | Skipped | tuple[DraftFileError, ...]:
    """Change the draft to what an edited draft file says, or to nothing of it: then all its errors.

    Without a `slot` the draft is the one that the file names. What was approved has to be approved
    again, unless nothing has changed. Past its slot the draft waits for that.
    Raises LedgerError, UsageError and StorageErrors.
    """
    parsed = parse(content)
    with open_database(settings.database, create=False) as db:
        draft = open_draft(db, newsletter, slot or parsed.about[1])
        # A file of another draft is an error, which the validation reports.
        draft = draft or open_draft(db, newsletter, slot)
        if draft is None:
            return no_draft(newsletter)
        view = _view(db, settings, newsletter, draft, now)
        if isinstance(view, Skipped):
            return view
        named = sorted({line.article_id for line in parsed.lines})
        statuses = drafts.article_statuses(db, newsletter.key, named)
        cutoff = horizon_of(db, newsletter, draft.slot, now)
        result = Validation(parsed, view, newsletter, statuses, cutoff).result()
        if not isinstance(result, DraftContents):
            return result
        if replace(result, edited=draft.contents.edited) == draft.contents:
            return view
        drafts.decide(db, draft.slot, result, _after_a_change(newsletter, draft, now), now=now)
        return _view(db, settings, newsletter, existing(db, draft.slot), now)


def approve(
    settings: Settings, newsletter: Newsletter, *, now: datetime, slot: str | None = None
) -> ApprovedDraft | Skipped:
    """Approve the draft as it is now: from here on only this goes out.

    Raises TemplateError for what does not render, LedgerError, UsageError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        draft = open_draft(db, newsletter, slot)
        if draft is None:
            return no_draft(newsletter)
        resolved = resolve_at_slot(db, newsletter, draft, now)
        if isinstance(resolved, NothingLeft):
            return _nothing_left(resolved)
        build = render_edition(db, settings, newsletter, resolved.new)
        approval = approval_of(resolved.edition, settings, newsletter)
        # What cannot be in it was not approved; it must not come back by itself.
        contents = _without(draft.contents, resolved.unusable)
        drafts.decide(db, draft.slot, contents, DraftState.APPROVED, approval=approval, now=now)
        draft = existing(db, draft.slot)
        shown = _draft_file(db, newsletter, draft, resolved)
        return ApprovedDraft(shown=shown, readers=build.readers)


def hold(
    settings: Settings, newsletter: Newsletter, *, now: datetime, slot: str | None = None
) -> Draft | Skipped:
    """Have the draft wait, past its slot too, until it is approved.

    Raises LedgerError, UsageError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        draft = open_draft(db, newsletter, slot)
        if draft is None:
            return no_draft(newsletter)
        drafts.decide(db, draft.slot, draft.contents, DraftState.HELD, now=now)
        return existing(db, draft.slot)


def _after_a_change(newsletter: Newsletter, draft: Draft, now: datetime) -> DraftState:
    """Past its slot, a draft that somebody works on must not go or be skipped behind their back."""
    past = newsletter.schedule is not None and now >= draft.slot.at
    if draft.state is DraftState.HELD or past:
        return DraftState.HELD
    return DraftState.WAITING


def _view(
    db: Database, settings: Settings, newsletter: Newsletter, draft: Draft, now: datetime
) -> DraftFile | Skipped:
    resolved = resolve_at_slot(db, newsletter, draft, now)
    if isinstance(resolved, NothingLeft):
        return _nothing_left(resolved)
    approved = draft.approval
    differences = unapproved_changes(settings, newsletter, approved, resolved) if approved else ()
    return replace(_draft_file(db, newsletter, draft, resolved), differences=differences)


def _nothing_left(resolved: NothingLeft) -> Skipped:
    reasons = "; ".join(resolved.unusable.values())
    return Skipped(
        reason=f"nothing is left of the draft ({reasons}); `digest draft --anew` selects again"
    )


def _draft_file(
    db: Database, newsletter: Newsletter, draft: Draft, resolved: ResolvedDraft
) -> DraftFile:
    waiting = [d.article_id for d in resolved.new.decisions if d.verdict is Verdict.WAITING]
    dropped = draft.contents.dropped
    known = drafts.article_statuses(db, newsletter.key, [*waiting, *dropped])

    def articles(ids: Iterable[int]) -> tuple[Article, ...]:
        return tuple(known[id_].article for id_ in ids if id_ in known)

    return DraftFile(
        draft=draft,
        edition=resolved.edition,
        waiting=articles(waiting),
        dropped=articles(dropped),
        unusable=tuple(resolved.unusable.values()),
    )


def _without(contents: DraftContents, unusable: Iterable[int]) -> DraftContents:
    lead, *others = (item for item in contents.placed if item.article_id not in set(unusable))
    if lead.placement is not Placement.LEAD:
        lead = replace(lead, placement=Placement.LEAD, section=None)
    return replace(contents, placed=(lead, *others))


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedSlot:
    """A slot that was left out."""

    slot: Slot
    reason: str


def skip(
    settings: Settings,
    newsletter: Newsletter,
    upcoming: Iterable[Slot],
    *,
    reason: str,
    now: datetime,
    slot: str | None = None,
) -> SkippedSlot | Skipped:
    """Leave out the slot of the draft, or else one that is due and waits, or is `upcoming`.

    Raises LedgerError, UsageError and StorageErrors.
    """
    sentence = f"skipped by the editor: {reason}" if reason else "skipped by the editor"
    with open_database(settings.database, create=False) as db:
        draft = open_draft(db, newsletter, slot)
        pending = (record.slot for record in slots.still_open(db, newsletter.key))
        target: Slot | Skipped | None = draft.slot if draft else None
        target = target or next((due for due in pending if slot in (None, due.name)), None)
        target = target or open_slot(db, newsletter, upcoming, slot)
        if isinstance(target, Skipped):
            return target
        record = SlotRecord(slot=target, state=SlotState.DUE).skipped(sentence, by=SkippedBy.EDITOR)
        with db.transaction():
            slots.add(db, record, now)
            current = slots.find(db, target.newsletter, target.name)
            if current is None or current.state is SlotState.PREPARED:
                raise LedgerError(
                    f"the slot {target.name} of {target.newsletter} has its edition by now",
                    hint="`digest stop` stops it.",
                )
            slots.settle(db, replace(record, made_up_in=current.made_up_in), now)
        return SkippedSlot(slot=target, reason=sentence)
