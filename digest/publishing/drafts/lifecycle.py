"""The editor's hand on an edition, as the clock sees it: a draft is made, and waits for a decision.

A draft is a proposal: which articles stand where. What they say is asked of the articles each time,
so that a correction reaches readers, until somebody approves: then it must be what was approved.
What the editor does is in `digest.publishing.drafts.editing`.

The draft at hand: what `digest send` would send of it at once, and what `preview` shows.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from digest.config import Settings
from digest.errors import Held, LedgerError, Superseded
from digest.model.draft import Approval, Draft, DraftContents, DraftState
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence
from digest.model.slot import HoldKind, Slot
from digest.publishing.drafts.approval import approval_of, changes
from digest.publishing.drafts.resolve import (
    NothingLeft,
    ResolvedDraft,
    build_resolved,
    contents_of,
    cutoff_of,
    horizon_of,
    resolve,
)
from digest.publishing.editions.build import NOBODY, EditionBuild, Skipped, build_edition
from digest.storage import drafts, slots
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """The edition of a draft may go out, as it is here."""

    draft: EditionBuild


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The draft waits for somebody's decision, and why."""

    kind: HoldKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The slot has no edition, and why."""

    reason: str


def propose_draft(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> DraftContents | Skipped:
    """What the rules propose for a slot. Writes nothing. Raises TemplateError."""
    made = _selected(db, settings, newsletter, slot, horizon_of(db, newsletter, slot, now))
    return made if isinstance(made, Skipped) else contents_of(made.edition)


def make_draft(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> DraftContents | Skipped:
    """Select a proposal for a slot, and keep it; the slot then is a DRAFT.

    A draft that is there already stays as it is. Raises TemplateError, and LedgerError if the slot
    has its edition or a reason.
    """
    there = drafts.find(db, slot)
    if there is not None:
        return there.proposal
    proposal = propose_draft(db, settings, newsletter, slot, now=now)
    if isinstance(proposal, Skipped):
        return proposal
    try:
        drafts.add(db, slot, proposal, now)
    except Superseded:
        there = drafts.find(db, slot)
        if there is None:
            raise
        return there.proposal
    return proposal


def decide(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> Send | Wait | Skip:
    """What becomes of the draft of a slot whose hour has come. Writes nothing.

    Raises TemplateError, and LedgerError if the slot has no draft.
    """
    stored = drafts.find(db, slot)
    if stored is None:
        raise LedgerError(
            f"the draft of {slot.newsletter} for {slot.name} is lost",
            hint="Restore the table `drafts` from a backup, or `digest skip` the slot.",
        )
    if newsletter.schedule is None:
        return Wait(
            kind=HoldKind.BY_HAND,
            reason=f"{newsletter.key} goes out by hand: `digest send` sends its draft",
        )
    return preview_decision(db, settings, newsletter, stored, now)


def preview_decision(
    db: Database, settings: Settings, newsletter: Newsletter, stored: Draft, now: datetime
) -> Send | Wait | Skip:
    """What would become of a draft if this were its hour. Raises TemplateError."""
    match stored.state:
        case DraftState.HELD:
            return Wait(
                kind=HoldKind.EDITOR, reason="held by the editor; `digest approve` releases it"
            )
        case DraftState.APPROVED:
            decided = _approved(db, settings, newsletter, stored, now)
        case DraftState.WAITING:
            decided = _on_silence(db, settings, newsletter, stored, now)
        case never:
            assert_never(never)
    if isinstance(decided, Send):
        # Whoever stores it makes sure that the editor has said nothing else by then.
        return Send(draft=replace(decided.draft, proposal=stored))
    return decided


def unapproved_changes(
    settings: Settings,
    newsletter: Newsletter,
    approved: Approval,
    content: ResolvedDraft | NothingLeft,
) -> tuple[str, ...]:
    """What readers would see that was not approved, a sentence each; empty if there is nothing."""
    if isinstance(content, NothingLeft):
        return tuple(content.gone.values())
    now = approval_of(content.edition, settings, newsletter)
    return changes(approved, now, content.gone) if now.seal != approved.seal else ()


def _approved(
    db: Database, settings: Settings, newsletter: Newsletter, stored: Draft, now: datetime
) -> Send | Wait | Skip:
    cutoff = cutoff_of(newsletter, stored.slot, now)
    content = resolve(db, newsletter, stored.slot, stored.proposal, cutoff=cutoff)
    if stored.approval is None:  # the database's own check forbids it
        raise LedgerError(f"the draft for {stored.slot.name} is approved without a seal")
    differences = unapproved_changes(settings, newsletter, stored.approval, content)
    if differences or isinstance(content, NothingLeft):
        return Wait(
            kind=HoldKind.CHANGED,
            reason=f"{'; '.join(differences)} after it was approved; `digest approve` approves it"
            " as it is now",
        )
    return _go(db, settings, newsletter, content)


def _on_silence(
    db: Database, settings: Settings, newsletter: Newsletter, stored: Draft, now: datetime
) -> Send | Wait | Skip:
    timing = newsletter.timing
    if timing.approval:
        match timing.on_silence:
            case OnSilence.HOLD:
                return Wait(
                    kind=HoldKind.UNDECIDED,
                    reason="nobody has decided on its draft; `digest approve` releases it",
                )
            case OnSilence.SKIP:
                return Skip(reason="nobody decided on its draft (on_silence)")
            case OnSilence.SEND:
                pass
    cutoff = cutoff_of(newsletter, stored.slot, now)
    if not (timing.approval or stored.proposal.edited):
        # Somebody only looked. News that came since then is as good as what came before.
        made = _selected(db, settings, newsletter, stored.slot, cutoff)
        if isinstance(made, Skipped):
            return Skip(reason=made.reason)
        return Send(draft=made) if made.readers else Skip(reason=NOBODY.reason)
    content = resolve(db, newsletter, stored.slot, stored.proposal, cutoff=cutoff)
    if isinstance(content, NothingLeft):
        return Skip(reason=f"nothing is left of its draft: {'; '.join(content.gone.values())}")
    few = len(content.edition.stories) < newsletter.rules.min_items
    if few and not stored.proposal.edited:
        left = len(content.edition.stories)
        return Skip(
            reason=f"{left} of its {len(stored.proposal.placed)} stories are left, and an edition"
            f" needs {newsletter.rules.min_items} (min_items)"
        )
    return _go(db, settings, newsletter, content)


def _go(
    db: Database, settings: Settings, newsletter: Newsletter, content: ResolvedDraft
) -> Send | Skip:
    made = build_resolved(db, settings, newsletter, content)
    return Send(draft=made) if made.readers else Skip(reason=NOBODY.reason)


def _selected(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, cutoff: datetime
) -> EditionBuild | Skipped:
    return build_edition(
        db,
        settings,
        newsletter,
        now=cutoff,
        slot=replace(slot, at=cutoff),
        missed_since=slots.first_made_up(db, slot),
    )


def draft_to_send(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> EditionBuild | Skipped | None:
    """The draft that `digest send` is to send at once; None where it makes an edition of its own.

    What is approved goes out before its hour; without `approval = "required"`, so does what an
    editor has changed, or a draft of a newsletter that goes out by hand only.
    Raises Held for a draft that waits for a decision, and TemplateError.
    """
    stored = _first(db, newsletter)
    if stored is None:
        if newsletter.timing.approval:
            raise Held(
                f"{newsletter.key} goes out only when it was approved, and there is no draft",
                hint="`digest draft` makes one, `digest approve` approves it.",
            )
        return None
    if stored.state is DraftState.WAITING:
        if newsletter.timing.approval:
            raise Held(
                f"the draft of {newsletter.key} for {stored.slot.name} is not approved",
                hint="`digest draft` shows it, `digest approve` approves it.",
            )
        if newsletter.schedule is not None and not stored.proposal.edited:
            return None
    match preview_decision(db, settings, newsletter, stored, now):
        case Send(draft=made):
            return made
        case Wait(reason=reason):
            raise Held(f"the draft of {newsletter.key} for {stored.slot.name} is held: {reason}")
        case Skip(reason=reason):
            return Skipped(reason=reason)
        case never:
            assert_never(never)


def draft_to_show(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> EditionBuild | Skipped | None:
    """The draft that waits, as it would go out at its slot, decided on or not; None without one.

    Nor is it one, without `approval = "required"`, that nobody has changed. Raises TemplateError.
    """
    stored = _first(db, newsletter)
    if stored is None or not (newsletter.timing.approval or stored.proposal.edited):
        return None
    cutoff = horizon_of(db, newsletter, stored.slot, now)
    content = resolve(db, newsletter, stored.slot, stored.proposal, cutoff=cutoff)
    if isinstance(content, NothingLeft):
        return Skipped(reason=f"nothing is left of its draft: {'; '.join(content.gone.values())}")
    return build_resolved(db, settings, newsletter, content)


def _first(db: Database, newsletter: Newsletter) -> Draft | None:
    """The draft with the earliest slot, of those that are approved if there is one."""
    there = drafts.still_open(db, newsletter.key)
    return min(there, key=lambda one: one.state is not DraftState.APPROVED, default=None)
