"""The life of a draft: it is made for a slot, waits for a decision, and becomes an edition or not.

A draft says which articles stand where. What they say is read from the articles each time, so that
a correction reaches readers, until somebody approves: then it must be what was approved.
What the editor does with it is in `digest.publishing.drafts.editing`.
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
    contents_of,
    cutoff_of,
    horizon_of,
    resolve,
    resolve_at_slot,
)
from digest.publishing.editions.build import (
    NOBODY,
    EditionBuild,
    Skipped,
    build_edition,
    render_edition,
)
from digest.storage import drafts, slots
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The draft waits for somebody's decision, and why."""

    kind: HoldKind
    reason: str


def propose_draft(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> DraftContents | Skipped:
    """What the rules propose for a slot. Writes nothing. Raises TemplateError."""
    build = _selected(db, settings, newsletter, slot, horizon_of(db, newsletter, slot, now))
    return build if isinstance(build, Skipped) else contents_of(build.edition)


def make_draft(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> DraftContents | Skipped:
    """Make the draft of a slot by the rules, and keep it; the slot then is a DRAFT.

    A draft that is there already stays as it is. Raises TemplateError, and LedgerError if the slot
    has its edition or a reason.
    """
    draft = drafts.find(db, slot)
    if draft is not None:
        return draft.contents
    contents = propose_draft(db, settings, newsletter, slot, now=now)
    if isinstance(contents, Skipped):
        return contents
    try:
        drafts.add(db, slot, contents, now)
    except Superseded:
        draft = drafts.find(db, slot)
        if draft is None:
            raise
        return draft.contents
    return contents


def decide(
    db: Database, settings: Settings, newsletter: Newsletter, slot: Slot, *, now: datetime
) -> EditionBuild | Wait | Skipped:
    """What becomes of the draft of a slot whose hour has come. Writes nothing.

    Raises TemplateError, and LedgerError if the slot has no draft.
    """
    draft = drafts.find(db, slot)
    if draft is None:
        raise LedgerError(
            f"the draft of {slot.newsletter} for {slot.name} is missing in the database",
            hint="Restore the table `drafts` from a backup, or `digest skip` the slot.",
        )
    if newsletter.schedule is None:
        return Wait(
            kind=HoldKind.BY_HAND,
            reason=f"{newsletter.key} is sent by hand: `digest send` sends its draft",
        )
    return preview_decision(db, settings, newsletter, draft, now)


def preview_decision(
    db: Database, settings: Settings, newsletter: Newsletter, draft: Draft, now: datetime
) -> EditionBuild | Wait | Skipped:
    """What would become of a draft if this were its hour. Raises TemplateError."""
    match draft.state:
        case DraftState.HELD:
            return Wait(
                kind=HoldKind.EDITOR, reason="held by the editor; `digest approve` releases it"
            )
        case DraftState.APPROVED:
            decision = _approved(db, settings, newsletter, draft, now)
        case DraftState.WAITING:
            decision = _on_silence(db, settings, newsletter, draft, now)
        case never:
            assert_never(never)
    if isinstance(decision, EditionBuild):
        # Whoever stores it makes sure that the editor has said nothing else by then.
        return replace(decision, draft=draft)
    return decision


def unapproved_changes(
    settings: Settings,
    newsletter: Newsletter,
    approved: Approval,
    resolved: ResolvedDraft | NothingLeft,
) -> tuple[str, ...]:
    """What readers would see that was not approved, a sentence each; empty if there is nothing."""
    if isinstance(resolved, NothingLeft):
        return tuple(resolved.unusable.values())
    now = approval_of(resolved.edition, settings, newsletter)
    return changes(approved, now, resolved.unusable) if now.seal != approved.seal else ()


def _approved(
    db: Database, settings: Settings, newsletter: Newsletter, draft: Draft, now: datetime
) -> EditionBuild | Wait | Skipped:
    cutoff = cutoff_of(newsletter, draft.slot, now)
    resolved = resolve(db, newsletter, draft.slot, draft.contents, cutoff=cutoff)
    if draft.approval is None:  # the database's own check forbids it
        raise LedgerError(
            f"the draft for {draft.slot.name} is approved, but what was approved is not stored"
        )
    differences = unapproved_changes(settings, newsletter, draft.approval, resolved)
    if differences or isinstance(resolved, NothingLeft):
        return Wait(
            kind=HoldKind.CHANGED,
            reason=f"{'; '.join(differences)} after it was approved; `digest approve` approves it"
            " as it is now",
        )
    return _unless_for_nobody(render_edition(db, settings, newsletter, resolved.new))


def _on_silence(
    db: Database, settings: Settings, newsletter: Newsletter, draft: Draft, now: datetime
) -> EditionBuild | Wait | Skipped:
    timing = newsletter.timing
    if timing.approval:
        match timing.on_silence:
            case OnSilence.HOLD:
                return Wait(
                    kind=HoldKind.UNDECIDED,
                    reason="nobody has decided on its draft; `digest approve` releases it",
                )
            case OnSilence.SKIP:
                return Skipped(reason="nobody decided on its draft (on_silence)")
            case OnSilence.SEND:
                pass
    cutoff = cutoff_of(newsletter, draft.slot, now)
    if not (timing.approval or draft.contents.edited):
        # Somebody only looked. News that came since then is as good as what came before.
        build = _selected(db, settings, newsletter, draft.slot, cutoff)
        return build if isinstance(build, Skipped) else _unless_for_nobody(build)
    resolved = resolve(db, newsletter, draft.slot, draft.contents, cutoff=cutoff)
    if isinstance(resolved, NothingLeft):
        return _nothing_left(resolved)
    left, needed = len(resolved.edition.stories), newsletter.rules.min_items
    if left < needed and not draft.contents.edited:
        return Skipped(
            reason=f"{left} of its {len(draft.contents.placed)} stories are left, and an edition"
            f" needs {needed} (min_items)"
        )
    return _unless_for_nobody(render_edition(db, settings, newsletter, resolved.new))


def _nothing_left(resolved: NothingLeft) -> Skipped:
    return Skipped(reason=f"nothing is left of its draft: {'; '.join(resolved.unusable.values())}")


def _unless_for_nobody(build: EditionBuild) -> EditionBuild | Skipped:
    return build if build.readers else NOBODY


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
    draft = _first(db, newsletter)
    if draft is None:
        if newsletter.timing.approval:
            raise Held(
                f"{newsletter.key} is sent only after approval, and there is no draft",
                hint="`digest draft` makes one, `digest approve` approves it.",
            )
        return None
    if draft.state is DraftState.WAITING:
        if newsletter.timing.approval:
            raise Held(
                f"the draft of {newsletter.key} for {draft.slot.name} is not approved",
                hint="`digest draft` shows it, `digest approve` approves it.",
            )
        if newsletter.schedule is not None and not draft.contents.edited:
            return None
    decision = preview_decision(db, settings, newsletter, draft, now)
    if isinstance(decision, Wait):
        raise Held(
            f"the draft of {newsletter.key} for {draft.slot.name} is held: {decision.reason}"
        )
    return decision


def draft_to_show(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> EditionBuild | Skipped | None:
    """The draft that waits, as it would go out at its slot, decided on or not; None without one.

    Nor is it one, without `approval = "required"`, that nobody has changed. Raises TemplateError.
    """
    draft = _first(db, newsletter)
    if draft is None or not (newsletter.timing.approval or draft.contents.edited):
        return None
    resolved = resolve_at_slot(db, newsletter, draft, now)
    if isinstance(resolved, NothingLeft):
        return _nothing_left(resolved)
    return render_edition(db, settings, newsletter, resolved.new)


def _first(db: Database, newsletter: Newsletter) -> Draft | None:
    """The draft with the earliest slot, of those that are approved if there is one."""
    open_drafts = drafts.still_open(db, newsletter.key)
    return min(open_drafts, key=lambda d: d.state is not DraftState.APPROVED, default=None)
