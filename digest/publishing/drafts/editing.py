"""Editing: what an editor does with a draft: look at it, change it, approve it, hold it.

Which draft, and which slot, an editor means who names none, or the one of a slot.

Skip: an editor leaves out a slot. It is on record, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from digest.config import Settings
from digest.errors import LedgerError, UsageError
from digest.model.article import Article, Verdict
from digest.model.draft import Draft, DraftContents, DraftItem, DraftState
from digest.model.edition import Edition, Placement
from digest.model.newsletter import Newsletter
from digest.model.slot import SkippedBy, Slot, SlotRecord, SlotState
from digest.publishing.drafts.approval import approval_of
from digest.publishing.drafts.draft_file import DraftFile
from digest.publishing.drafts.draft_file_parser import DraftFileError, ParsedDraftFile, parse
from digest.publishing.drafts.draft_file_validator import DraftContext, validate
from digest.publishing.drafts.lifecycle import make_draft, propose_draft, unapproved_changes
from digest.publishing.drafts.resolve import (
    NothingLeft,
    ResolvedDraft,
    build_resolved,
    horizon_of,
    resolve,
)
from digest.publishing.editions.build import Skipped
from digest.storage import drafts, slots
from digest.storage.database import Database, open_database

#: So many slots ahead one is looked for by its name.
_FURTHEST: Final = 10_000


def open_draft(db: Database, newsletter: Newsletter, slot: str | None) -> Draft | None:
    """The open draft of this slot, or the one whose slot is the earliest."""
    there = drafts.still_open(db, newsletter.key)
    return next((one for one in there if slot in (None, one.slot.name)), None)


def existing(db: Database, slot: Slot) -> Draft:
    """The draft of a slot that has one. Raises LedgerError if somebody was quicker."""
    stored = drafts.find(db, slot)
    if stored is None:
        raise LedgerError(f"the draft of {slot.newsletter} for {slot.name} is gone")
    return stored


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
        found = slots.find(db, newsletter.key, slot.name)
        if found is None or found.state.is_open:
            return slot
        if found.state is not SlotState.PREPARED:
            return Skipped(
                reason=f"nothing comes at {slot.name}: {found.reason}; --slot names another slot"
            )
        if name is not None:
            return Skipped(reason=f"the slot {slot.name} has its edition")
    if name is not None:
        raise UsageError(
            f"--slot: {newsletter.key} has no slot {name} to come, and no draft for it",
            hint="`digest plan` lists the slots that come; a slot is named 2026-03-12T07:00.",
        )
    return Skipped(reason=f"{newsletter.key} has no slot to come")


def no_draft(newsletter: Newsletter) -> Skipped:
    """Why nothing was done, where no draft waits."""
    return Skipped(reason=f"no draft of {newsletter.key} waits; `digest draft` makes one")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft as it is now. `differences` are from what was approved, a sentence each."""

    sheet: DraftFile
    differences: tuple[str, ...] = ()

    @property
    def stored(self) -> Draft:
        """The draft in the ledger."""
        return self.sheet.stored

    @property
    def edition(self) -> Edition:
        """The edition that it would be."""
        return self.sheet.edition


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedDraft:
    """A draft that was approved, and how many readers its edition would have now."""

    shown: DraftView
    readers: int


def show(
    settings: Settings,
    newsletter: Newsletter,
    upcoming: Iterable[Slot],
    *,
    now: datetime,
    slot: str | None = None,
    anew: bool = False,
) -> DraftView | Skipped:
    """The draft that waits; without one it is made, for the first of the `upcoming` slots.

    With the name of a `slot`, the draft of that one. With `anew`, what the rules select now takes
    the place of what was there. Raises LedgerError, UsageError, TemplateError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        stored = open_draft(db, newsletter, slot)
        if stored is None:
            target = open_slot(db, newsletter, upcoming, slot)
            if isinstance(target, Skipped):
                return target
            made = make_draft(db, settings, newsletter, target, now=now)
        elif anew:
            made = propose_draft(db, settings, newsletter, stored.slot, now=now)
            if isinstance(made, DraftContents):
                drafts.decide(
                    db, stored.slot, made, _after_a_change(newsletter, stored, now), now=now
                )
            target = stored.slot
        else:
            return _shown(db, settings, newsletter, stored, now)
        if isinstance(made, Skipped):
            return made
        return _shown(db, settings, newsletter, existing(db, target), now)


def apply_draft_file(
    settings: Settings,
    newsletter: Newsletter,
    content: bytes,
    *,
    now: datetime,
    slot: str | None = None,
) -> DraftView | Skipped | tuple[DraftFileError, ...]:
    """Take an edited sheet for the draft, or nothing of it: then all its mistakes are told.

    Without a `slot` the draft is the one that the sheet names.

    What was approved has to be approved again, unless nothing has changed. Past its slot the draft
    waits for that. Raises LedgerError, UsageError and StorageErrors.
    """
    parts = parse(content)
    with open_database(settings.database, create=False) as db:
        stored = open_draft(db, newsletter, slot or parts.about[1])
        # A sheet of another draft is a mistake, and told as one.
        stored = stored or open_draft(db, newsletter, slot)
        if stored is None:
            return no_draft(newsletter)
        shown = _shown(db, settings, newsletter, stored, now)
        if isinstance(shown, Skipped):
            return shown
        result = validate(parts, _desk(db, newsletter, shown.sheet, parts, now))
        if not isinstance(result, DraftContents):
            return result
        if replace(result, edited=stored.proposal.edited) == stored.proposal:
            return shown
        drafts.decide(db, stored.slot, result, _after_a_change(newsletter, stored, now), now=now)
        return _shown(db, settings, newsletter, existing(db, stored.slot), now)


def approve(
    settings: Settings, newsletter: Newsletter, *, now: datetime, slot: str | None = None
) -> ApprovedDraft | Skipped:
    """Seal the draft as it is now: from here on only this goes out.

    Raises TemplateError for what does not render, LedgerError, UsageError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        stored = open_draft(db, newsletter, slot)
        if stored is None:
            return no_draft(newsletter)
        content = _content(db, newsletter, stored, now)
        if isinstance(content, NothingLeft):
            return _nothing_left(content)
        made = build_resolved(db, settings, newsletter, content)
        approval = approval_of(content.edition, settings, newsletter)
        # What cannot be in it was not approved; it must not come back by itself.
        proposal = _without(stored.proposal, content.gone)
        state = DraftState.APPROVED
        drafts.decide(db, stored.slot, proposal, state, approval=approval, now=now)
        stored = existing(db, stored.slot)
        shown = DraftView(sheet=_sheet(db, newsletter, stored, content))
        return ApprovedDraft(shown=shown, readers=made.readers)


def hold(
    settings: Settings, newsletter: Newsletter, *, now: datetime, slot: str | None = None
) -> Draft | Skipped:
    """Have the draft wait, past its slot too, until it is approved.

    Raises LedgerError, UsageError and StorageErrors.
    """
    with open_database(settings.database, create=False) as db:
        stored = open_draft(db, newsletter, slot)
        if stored is None:
            return no_draft(newsletter)
        drafts.decide(db, stored.slot, stored.proposal, DraftState.HELD, now=now)
        return existing(db, stored.slot)


def _after_a_change(newsletter: Newsletter, stored: Draft, now: datetime) -> DraftState:
    """Past its slot, a draft that somebody works on must not go or be skipped behind their back."""
    past = newsletter.schedule is not None and now >= stored.slot.at
    if stored.state is DraftState.HELD or past:
        return DraftState.HELD
    return DraftState.WAITING


def _content(
    db: Database, newsletter: Newsletter, stored: Draft, now: datetime
) -> ResolvedDraft | NothingLeft:
    cutoff = horizon_of(db, newsletter, stored.slot, now)
    return resolve(db, newsletter, stored.slot, stored.proposal, cutoff=cutoff)


def _shown(
    db: Database, settings: Settings, newsletter: Newsletter, stored: Draft, now: datetime
) -> DraftView | Skipped:
    content = _content(db, newsletter, stored, now)
    if isinstance(content, NothingLeft):
        return _nothing_left(content)
    approved = stored.approval
    differences = unapproved_changes(settings, newsletter, approved, content) if approved else ()
    return DraftView(sheet=_sheet(db, newsletter, stored, content), differences=differences)


def _nothing_left(content: NothingLeft) -> Skipped:
    gone = "; ".join(content.gone.values())
    return Skipped(
        reason=f"nothing is left of the draft ({gone}); `digest draft --anew` selects again"
    )


def _sheet(
    db: Database, newsletter: Newsletter, stored: Draft, content: ResolvedDraft
) -> DraftFile:
    waiting = [d.article_id for d in content.decisions if d.verdict is Verdict.WAITING]
    dropped = stored.proposal.dropped
    known = drafts.article_statuses(db, newsletter.key, [*waiting, *dropped])

    def articles(ids: Iterable[int]) -> tuple[Article, ...]:
        return tuple(known[id_].article for id_ in ids if id_ in known)

    return DraftFile(
        stored=stored,
        edition=content.edition,
        waiting=articles(waiting),
        dropped=articles(dropped),
        gone=tuple(content.gone.values()),
    )


def _desk(
    db: Database, newsletter: Newsletter, sheet: DraftFile, parts: ParsedDraftFile, now: datetime
) -> DraftContext:
    ids = {line.article_id for line in parts.lines}
    return DraftContext(
        sheet=sheet,
        newsletter=newsletter,
        standings=drafts.article_statuses(db, newsletter.key, sorted(ids)),
        cutoff=horizon_of(db, newsletter, sheet.stored.slot, now),
    )


def _without(proposal: DraftContents, gone: Iterable[int]) -> DraftContents:
    away = set(gone)
    lead, *others = (one for one in proposal.placed if one.article_id not in away)
    if lead.placement is not Placement.LEAD:
        lead = DraftItem(
            article_id=lead.article_id,
            placement=Placement.LEAD,
            title=lead.title,
            deck=lead.deck,
        )
    return replace(proposal, placed=(lead, *others))


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
        stored = open_draft(db, newsletter, slot)
        pending = (record.slot for record in slots.still_open(db, newsletter.key))
        target: Slot | Skipped | None = stored.slot if stored else None
        target = target or next((one for one in pending if slot in (None, one.name)), None)
        target = target or open_slot(db, newsletter, upcoming, slot)
        if isinstance(target, Skipped):
            return target
        record = SlotRecord(slot=target, state=SlotState.DUE).skipped(sentence, by=SkippedBy.EDITOR)
        with db.transaction():
            slots.add(db, record, now)
            found = slots.find(db, target.newsletter, target.name)
            if found is None or found.state is SlotState.PREPARED:
                raise LedgerError(
                    f"the slot {target.name} of {target.newsletter} has its edition by now",
                    hint="`digest stop` keeps it from going further.",
                )
            slots.settle(db, replace(record, made_up_in=found.made_up_in), now)
        return SkippedSlot(slot=target, reason=sentence)
