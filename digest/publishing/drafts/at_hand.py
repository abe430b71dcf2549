"""The draft at hand: what `digest send` would send of it at once, and what `preview` shows."""

from datetime import datetime
from typing import assert_never

from digest.config import Settings
from digest.errors import Held
from digest.model.draft import DraftState, StoredDraft
from digest.model.newsletter import Newsletter
from digest.publishing.drafts.lifecycle import Go, Hold, Skip, decision
from digest.publishing.drafts.resolve import NothingLeft, horizon_of, proposed, rendered
from digest.publishing.editions.build import Draft
from digest.publishing.skipped import Skipped
from digest.storage import drafts
from digest.storage.database import Database


def to_send(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> Draft | Skipped | None:
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
    match decision(db, settings, newsletter, stored, now):
        case Go(draft=made):
            return made
        case Hold(reason=reason):
            raise Held(f"the draft of {newsletter.key} for {stored.slot.name} is held: {reason}")
        case Skip(reason=reason):
            return Skipped(reason=reason)
        case never:
            assert_never(never)


def to_show(
    db: Database, settings: Settings, newsletter: Newsletter, *, now: datetime
) -> Draft | Skipped | None:
    """The draft that waits, as it would go out at its slot, decided on or not; None without one.

    Nor is it one, without `approval = "required"`, that nobody has changed. Raises TemplateError.
    """
    stored = _first(db, newsletter)
    if stored is None or not (newsletter.timing.approval or stored.proposal.edited):
        return None
    cutoff = horizon_of(db, newsletter, stored.slot, now)
    content = proposed(db, newsletter, stored.slot, stored.proposal, cutoff=cutoff)
    if isinstance(content, NothingLeft):
        return Skipped(reason=f"nothing is left of its draft: {'; '.join(content.gone.values())}")
    return rendered(db, settings, newsletter, content)


def _first(db: Database, newsletter: Newsletter) -> StoredDraft | None:
    """The draft with the earliest slot, of those that are approved if there is one."""
    there = drafts.still_open(db, newsletter.key)
    return min(there, key=lambda one: one.state is not DraftState.APPROVED, default=None)
